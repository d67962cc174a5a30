"""The customer marts on real households over five loads: against pandas, and against a rebuild."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from dagster_project.olap.cube import Cube
from dagster_project.olap.dictionary import CubeError
from tests.support.installation import Installation, assert_same_tables
from tests.support.real_data import write_slice

# a month closes, one opens, and the last load reaches over two months at once
NIGHTS = ("2017-06-20", "2017-07-31", "2017-08-01", "2017-10-04", "2017-12-31")


def _write(data: Path, everything: Path, late: str) -> None:
    """The files as they are, or without the lines of two households' June, which come late."""
    with duckdb.connect() as con:
        con.execute(
            f"copy (select * from '{everything}' where {late}) to '{data / 'transactions.parquet'}' (format parquet)"
        )


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installation]:
    """The homes grown by nights, and rebuilt. June of two households arrives with the load of August."""
    folder = tmp_path_factory.mktemp("customers")
    data = write_slice(folder / "data", households=150)
    everything = folder / "transactions.parquet"
    (data / "transactions.parquet").rename(everything)
    homes = {"grown": Installation(folder / "home", data)}
    late = (
        "not (household_id in (select household_id from (select distinct household_id"
        f" from '{everything}') order by household_id limit 2)"
        " and transaction_timestamp between '2017-06-02' and '2017-06-10')"
    )
    for night in NIGHTS:
        _write(data, everything, late if night < "2017-08-01" else "true")
        homes["grown"].load(night, "--lookback", "90")
    homes["rebuilt"] = homes["grown"].copy(folder / "rebuilt")
    homes["rebuilt"].load(NIGHTS[-1], "--rebuild")
    return homes


@pytest.fixture(scope="module")
def lines(nights: dict[str, Installation]) -> pd.DataFrame:
    """The lines as the files tell them, by the day in New York: net is what was paid."""
    read: pd.DataFrame = pd.read_parquet(nights["grown"].data / "transactions.parquet")
    stamp = read["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    return read.assign(day=stamp.dt.tz_localize(None).dt.normalize(), net=read["sales_value"].round(2))


def _frame(home: Installation, query: str) -> pd.DataFrame:
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        found: pd.DataFrame = con.sql(query).df()
        return found


def _fifths(values: pd.Series[Any]) -> pd.Series[Any]:
    """Written otherwise than the mart: how many of all values lie below, in fifths."""
    ordered = np.sort(values.to_numpy())
    below = np.searchsorted(ordered, values.to_numpy(), side="left")
    return pd.Series(5 * below // len(ordered) + 1, index=values.index)


@pytest.mark.parametrize("month", ["2017-06", "2017-10", "2017-12"])
def test_recency_frequency_and_money_are_those_of_pandas(
    nights: dict[str, Installation], lines: pd.DataFrame, month: str
) -> None:
    end = pd.Period(month).end_time.normalize()
    before = lines[lines["day"] <= end]
    by = before.groupby("household_id")
    expected = pd.DataFrame({
        "recency_days": (end - by["day"].max()).dt.days,
        "tenure_days": (end - by["day"].min()).dt.days,
        "orders_12_months": by["basket_id"].nunique(),
        "net_sales_12_months": by["net"].sum().round(2),
        "mean_interval_days": (by["day"].max() - by["day"].min()).dt.days
        / (by["day"].nunique() - 1).replace(0, np.nan),
    })  # fmt: skip
    expected["recency_score"] = _fifths(-expected["recency_days"])
    expected["frequency_score"] = _fifths(expected["orders_12_months"])
    expected["monetary_score"] = _fifths(expected["net_sales_12_months"])
    place = expected["net_sales_12_months"].rank(ascending=False, method="min") - 1
    expected["pyramid_tier"] = 1 + sum((place >= percent * len(place) / 100).astype(int) for percent in (1, 5, 20, 50))
    found = _frame(
        nights["grown"],
        f"select cast(c.customer_id as integer) as household_id, {', '.join(f'm.{name}' for name in expected.columns)}"
        " from mart.fct_customer_month m join star.dim_customer c"
        " on c.customer_durable_key = m.mastered_customer_key and c.is_current"
        f" where month_start_date = '{month}-01' order by 1",
    ).set_index("household_id")
    assert len(found) > 100
    pd.testing.assert_frame_equal(
        found.astype(float),
        expected[list(found.columns)].astype(float).sort_index(),
        check_names=False,
        check_index_type=False,
        rtol=1e-9,
    )


def test_cohorts_are_those_of_pandas(nights: dict[str, Installation], lines: pd.DataFrame) -> None:
    months = lines.assign(month=lines["day"].dt.to_period("M"))
    months["cohort"] = months.groupby("household_id")["month"].transform("min")
    expected = months.groupby(["cohort", "month"])["household_id"].nunique()
    found = _frame(
        nights["grown"],
        "select strftime(cohort_month, '%Y-%m') as cohort, strftime(month_start_date, '%Y-%m') as month, buyers,"
        " cohort_customers, retention from mart.mart_customer_cohort where buyers > 0",
    )
    assert {(r.cohort, r.month): r.buyers for r in found.itertuples()} == {
        (str(cohort), str(month)): count for (cohort, month), count in expected.items()
    }
    assert np.allclose(found["retention"], found["buyers"] / found["cohort_customers"])


def test_the_nights_gave_the_marts_of_a_rebuild(nights: dict[str, Installation]) -> None:
    assert_same_tables(nights["grown"], nights["rebuilt"], ["mart"])


def test_tiers_and_movements_add_up_to_everybody(nights: dict[str, Installation]) -> None:
    grown = nights["grown"]
    everybody = "select month_start_date, count(*) from mart.fct_customer_month group by 1 order by 1"
    for parted_by in ("rfm_segment", "pyramid_tier", "lifecycle", "state"):
        moved = "select month_start_date, sum(customers)::bigint from mart.mart_customer_movement"
        assert grown.sql(f"{moved} where parted_by = '{parted_by}' group by 1 order by 1") == grown.sql(everybody)
    assert grown.sql(
        "select distinct cumulative_value_share from mart.mart_customer_pyramid where pyramid_tier = 5"
    ) == [(1.0,)]


def test_who_is_not_measured_has_null_and_who_never_bought_is_potential(nights: dict[str, Installation]) -> None:
    grown = nights["grown"]
    # the source tells neither costs nor responses, so neither is 0
    assert grown.sql(
        "select count(margin_12_months), count(responses), count(contacts) > 0 from mart.mart_customer_360"
    ) == [(0, 0, True)]
    assert grown.sql(
        "select distinct weighted_grade_measured::varchar from mart.mart_customer_360 where orders_to_date > 0"
    ) == [("0.5000",)]
    kinds = (
        "select customer_kind = 'potential', orders_to_date is null, count(*) from mart.mart_customer_360 group by all"
    )
    assert {(potential, none) for potential, none, _ in grown.sql(kinds)} <= {(True, True), (False, False)}


def test_preferences_are_what_they_buy_most(nights: dict[str, Installation], lines: pd.DataFrame) -> None:
    baskets = lines.drop_duplicates("basket_id")
    counted = baskets.groupby(["household_id", baskets["day"].dt.day_of_week + 1])["basket_id"].nunique()
    expected = {
        household: {weekday for (_, weekday), n in counts.items() if n == counts.max()}
        for household, counts in counted.groupby(level=0)
    }
    found = nights["grown"].sql(
        "select cast(c.customer_id as integer), preferred_iso_weekday from mart.mart_customer_360 m"
        " join star.dim_customer c on c.customer_durable_key = m.mastered_customer_key and c.is_current"
        " where orders_to_date > 0"
    )
    assert len(found) > 100
    # of equals the first day of the week
    assert {household: min(days) for household, days in expected.items()} == dict(found)


def test_demand_by_hour_is_that_of_pandas(nights: dict[str, Installation], lines: pd.DataFrame) -> None:
    stamp = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    baskets = lines.assign(hour=stamp.dt.hour).drop_duplicates("basket_id")
    expected = baskets.groupby([baskets["day"].dt.day_of_week + 1, "hour"])["basket_id"].nunique()
    found = nights["grown"].sql("select iso_weekday, hour_of_day, orders from mart.mart_purchase_hours")
    assert {(weekday, hour): orders for weekday, hour, orders in found} == expected.to_dict()


def test_the_warning_list_names_the_most_valuable_first_and_why(nights: dict[str, Installation]) -> None:
    listed = nights["grown"].sql(
        "select value_12_months, state, trend, recency_days > 2 * coalesce(mean_interval_days, 0), reason"
        " from mart.mart_customer_warning order by warning_rank"
    )
    assert listed
    assert [row[0] for row in listed] == sorted((row[0] for row in listed), reverse=True)
    for _, state, trend, overdue, reason in listed:
        # nothing is fitted here, and the rule of thumb raises no alarm
        assert state == "warning" or trend == "falling"
        assert "probability" not in reason
        assert ("no order for" in reason) == (state == "warning")
        assert ("bought for less" in reason) == (trend == "falling")
        assert overdue or state != "warning"


MONTHS = """
    select year_month, count(*)::integer, sum(value_12_months), count(*) filter (where orders_12_months > 0)::integer
    from mart.fct_customer_month as months join star.dim_date as days on days.date_key = months.month_date_key
    group by 1 order by 1
"""
VALUES = ["customers", "customer_value", "active_customers"]


@pytest.fixture
def cube(nights: dict[str, Installation]) -> Iterator[Cube]:
    """Closed after each test: DuckDB opens a file once a process in one way only, and the others read without it."""
    opened = Cube.open(nights["grown"].warehouse)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("level", "last"),
    [
        ("calendar.month", {f"2017-{month:02}": f"2017-{month:02}" for month in range(1, 13)}),
        ("calendar.quarter", {f"2017-Q{nth}": f"2017-{3 * nth:02}" for nth in range(1, 5)}),
        ("calendar.year", {2017: "2017-12"}),
        ("", {"": "2017-12"}),
    ],
)
def test_the_cube_tells_a_period_by_its_last_month(cube: Cube, level: str, last: dict[Any, str]) -> None:
    """Semi-additive: customers of a quarter are those at its end, never the sum of its months."""
    months = {month: tuple(values) for month, *values in cube.connection.execute(MONTHS).fetchall()}
    told = cube.query(VALUES, level or ()).records()
    assert {row.get(level, ""): tuple(row[name] for name in VALUES) for row in told} == {
        period: months[month] for period, month in last.items()
    }


def test_conditions_and_windows_move_the_month_the_cube_tells_of(cube: Cube) -> None:
    months = {month: tuple(values) for month, *values in cube.connection.execute(MONTHS).fetchall()}
    (told,) = cube.query(VALUES, (), "calendar.month <= '2017-08'").records()
    assert tuple(told.values()) == months["2017-08"]
    by_quarter = cube.query("customers.previous_period,customers.year_to_date", "calendar.quarter").records()
    assert [tuple(row.values()) for row in by_quarter] == [
        ("2017-Q1", None, months["2017-03"][0]),
        ("2017-Q2", months["2017-03"][0], months["2017-06"][0]),
        ("2017-Q3", months["2017-06"][0], months["2017-09"][0]),
        ("2017-Q4", months["2017-09"][0], months["2017-12"][0]),
    ]
    by_state = cube.query("customers", ("calendar.month", "customer_standing.state")).records()
    assert {month: sum(r["customers"] for r in by_state if r["calendar.month"] == month) for month in months} == {
        month: values[0] for month, values in months.items()
    }
    with pytest.raises(CubeError, match="can't mix the calendar"):
        cube.query(
            "customers", "customer_standing.state", "calendar.month = '2017-05' or customer_standing.state = 'lost'"
        )


def test_churn_is_not_measured_where_no_source_tells_of_it(nights: dict[str, Installation]) -> None:
    assert nights["grown"].sql(
        "select count(*), (select count(churned_date) from mart.mart_customer_360) from mart.mart_churn"
    ) == [(0, 0)]
