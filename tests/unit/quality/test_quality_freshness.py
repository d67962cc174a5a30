"""Freshness and volume are judged against the feed's own past, and only with enough of it."""

from datetime import date, timedelta

import pytest

from dagster_project.quality import CheckResult, Severity, assess_freshness, assess_volume

START = date(2017, 1, 2)  # a Monday


def days(*offsets: int) -> list[date]:
    return [START + timedelta(days=offset) for offset in offsets]


def freshness(past: list[date], age: int) -> CheckResult:
    newest = max(past)
    return assess_freshness(newest, newest + timedelta(days=age), past, source="shop", feed="orders")


def volume(rows: int, past: list[int]) -> CheckResult:
    return assess_volume(rows, past, source="shop", feed="orders")


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (1, True), (2, True), (3, False)])
def test_a_daily_feed_is_late_after_one_missed_day_of_grace(age: int, fresh: bool) -> None:
    assert freshness(days(*range(10)), age).success is fresh


@pytest.mark.parametrize(("age", "fresh"), [(7, True), (11, True), (12, False)])
def test_a_weekly_feed_may_be_a_week_old(age: int, fresh: bool) -> None:
    assert freshness(days(*range(0, 70, 7)), age).success is fresh


def test_an_irregular_feed_gets_a_wider_limit() -> None:
    irregular = freshness(days(0, 2, 12, 15, 30, 34, 50), 25)
    regular = freshness(days(0, 8, 16, 24, 32, 40, 48), 25)

    assert irregular.success
    assert not regular.success


def test_a_short_history_gives_no_verdict_and_says_so() -> None:
    result = freshness(days(0, 1, 2), 90)

    assert result.success
    assert "not judged, 2 of the 5 past intervals needed" in result.message


def test_a_feed_that_never_landed_gives_no_verdict() -> None:
    result = assess_freshness(None, START, [], source="shop", feed="orders")

    assert result.success
    assert "nothing has landed yet" in result.message


def test_a_late_feed_is_a_warning_that_explains_itself() -> None:
    result = freshness(days(*range(10)), 5)

    assert result.severity is Severity.WARNING
    assert result.unexpected_count == 1
    assert "5 days before 2017-01-16; they usually come every 1 days, late after 2" in result.message


@pytest.mark.parametrize(("rows", "usual"), [(0, False), (499, False), (500, True), (1500, True), (1501, False)])
def test_a_steady_feed_may_halve_but_not_vanish_or_double(rows: int, usual: bool) -> None:
    assert volume(rows, [1000] * 6).success is usual


def test_one_bulk_load_in_the_past_does_not_widen_the_limits() -> None:
    assert not volume(40_000, [1_469_307, 4000, 4100, 3900, 4050, 3950]).success


def test_a_noisy_feed_gets_wider_limits() -> None:
    assert volume(2600, [1000, 400, 1900, 700, 1400, 1000]).success


def test_few_past_loads_give_no_verdict() -> None:
    result = volume(0, [1000, 1000])

    assert result.success
    assert "not judged, 2 of the 5 past loads needed" in result.message


def test_a_quiet_sunday_is_compared_with_sundays() -> None:
    past_dates = days(*range(42))
    past_rows = [100 if day.weekday() == 6 else 1000 for day in past_dates]
    sunday, monday = START + timedelta(days=48), START + timedelta(days=49)

    def judge(day: date) -> CheckResult:
        return assess_volume(100, past_rows, source="shop", feed="orders", load_date=day, past_dates=past_dates)

    assert judge(sunday).success
    assert "a Sunday usually brings 100" in judge(sunday).message
    assert not judge(monday).success


def test_dates_that_do_not_fit_the_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        assess_volume(1, [1, 2, 3], source="shop", feed="orders", load_date=START, past_dates=days(0, 1))
