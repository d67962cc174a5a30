"""Windows where calendars are odd: years of 53 weeks, leap days, and a fact that nobody fills."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from dagster_project.olap.cube import Cube
from tests.support.small_cube import SmallCube


def cube_of(folder: Path, sold: dict[date, int]) -> Cube:
    """One buyer a day in one store, for so much money."""
    lines = [(day, 1, 1, nth, money) for nth, (day, money) in enumerate(sold.items(), start=1)]
    return Cube.open(SmallCube(lines=lines).write(folder / "warehouse.duckdb"))


@pytest.mark.parametrize(
    ("week", "variant", "expected"),
    [
        # 2020 has 53 weeks: 52 weeks before its last one is its first, and W01 of 2021 looks at W02 of 2020
        ("2020-W53", "previous_year", 1),
        ("2021-W01", "previous_year", 2),
        ("2020-W53", "previous_period", 52),
        ("2021-W01", "previous_period", 53),
    ],
)
def test_in_a_year_of_53_weeks_weekdays_still_match(tmp_path: Path, week: str, variant: str, expected: int) -> None:
    sold = {
        date.fromisocalendar(2020, 1, 3): 1,
        date.fromisocalendar(2020, 2, 3): 2,
        date.fromisocalendar(2020, 52, 3): 52,
        date.fromisocalendar(2020, 53, 3): 53,
        date.fromisocalendar(2021, 1, 3): 100,
    }
    (row,) = (
        cube_of(tmp_path, sold).query(f"net_sales.{variant}", "calendar.week", f"calendar.week = '{week}'").records()
    )
    assert row == {"calendar.week": week, f"net_sales.{variant}": Decimal(expected)}


def test_a_leap_day_looks_at_the_28th_of_the_year_before(tmp_path: Path) -> None:
    sold = {date(2019, 2, 28): 7, date(2020, 2, 28): 1, date(2020, 2, 29): 2, date(2020, 3, 1): 4}
    cube = cube_of(tmp_path, sold)
    told = cube.query("net_sales.previous_year,net_sales.month_to_date", "calendar.day").records()
    by_day = {row["calendar.day"]: row for row in told}
    assert by_day[date(2020, 2, 29)]["net_sales.previous_year"] == 7
    assert by_day[date(2020, 2, 28)]["net_sales.previous_year"] == 7
    assert by_day[date(2020, 2, 29)]["net_sales.month_to_date"] == 3
    assert by_day[date(2020, 3, 1)]["net_sales.month_to_date"] == 4


def test_what_no_source_fills_is_null_also_where_a_rollup_would_count_none(tmp_path: Path) -> None:
    cube = cube_of(tmp_path, {})
    (row,) = cube.query("net_sales,lines,orders,buyers,contacts").records()
    assert set(row.values()) == {None}
