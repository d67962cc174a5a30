"""A role reads no row outside its condition, whatever it asks; and is shown no cell of few people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.olap.cube import Cube
from dagster_project.olap.dictionary import CubeError
from tests.support.small_cube import SmallCube

NORTH = {"where": "store.region = 'North'"}
ROLES: dict[str, dict[str, Any]] = {
    "north": NORTH,
    "in_2017": {"where": "calendar.year = 2017"},
    "bread": {"where": "product.category = 'BREAD'"},
    "careful": {"min_customers": 3},
    "careful_north": {**NORTH, "min_customers": 2},
    "broken": {"where": "store.regio = 'North'"},
}
JANUARY, FEBRUARY, MARCH = date(2017, 1, 10), date(2017, 2, 10), date(2017, 3, 10)


def shop() -> SmallCube:
    """Stores 1 and 2 in the North, 3 in the South; persons 1 to 3 buy in the North, 4 to 6 in the South."""
    made = SmallCube(policies=ROLES)
    for day in (date(2016, 1, 10), JANUARY, FEBRUARY):
        made.lines += [(day, 1, 1, person, 10) for person in (1, 2)]
        made.lines += [(day, 2, 2, 3, 100), *((day, 3, 3, person, 1000) for person in (4, 5, 6))]
    made.lines.append((MARCH, 3, 1, 1, 1000))
    made.contacts = [(JANUARY, 1, 1), (JANUARY, 1, 2), (JANUARY, 3, 4)]
    made.redemptions = [(FEBRUARY, 1), (FEBRUARY, 4)]
    return made


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop().write(tmp_path_factory.mktemp("policies") / "warehouse.duckdb")


@pytest.fixture
def as_role(warehouse: Path) -> Callable[[str], Cube]:
    return lambda role: Cube(warehouse, role=role)


def only(cube: Cube, metrics: str, **asked: Any) -> Any:
    """The one value of an answer of one cell."""
    (record,) = cube.query(metrics, **asked).records()
    return record[metrics]


@pytest.fixture(scope="module")
def north_only(tmp_path_factory: pytest.TempPathFactory) -> Cube:
    """What a shop without the South would have."""
    made = shop()
    made.lines = [line for line in made.lines if line[1] != 3]
    made.contacts = [contact for contact in made.contacts if contact[1] != 3]
    return Cube(made.write(tmp_path_factory.mktemp("north") / "warehouse.duckdb"))


class TestCondition:
    @pytest.mark.parametrize(
        "metrics",
        [
            "net_sales, lines, orders, buyers, average_order_value",
            "net_sales.previous_period, net_sales.period_over_period, buyers.previous_year, buyers.year_over_year",
            "net_sales.year_to_date, buyers.quarter_to_date, net_sales.rolling_12_months, buyers.rolling_91_days",
            "net_sales_year_to_date",
            "new_customers, retained_customers, reactivated_customers, lost_customers",
            "repeat_buyers",
            "net_sales.share, net_sales.share_of_parent, buyers.rank",
        ],
    )
    @pytest.mark.parametrize("by", ["calendar.month", "calendar.month, store.region", "calendar.year, store.store_id"])
    def test_each_kind_of_metric_is_held_to_it(
        self, as_role: Callable[[str], Cube], north_only: Cube, metrics: str, by: str
    ) -> None:
        if "share" in metrics and "store" not in by:
            by += ", product.category"
        expected = north_only.query(metrics, by).records()
        assert expected
        # the South has a month more, which windows of the North reach into
        period = by.split(", ")[0]
        last = max(row[period] for row in expected)
        got = as_role("north").query(metrics, by).records()
        assert [row for row in got if row[period] <= last] == expected
        assert got != as_role("").query(metrics, by).records()

    def test_a_condition_on_the_calendar_holds_for_windows_too(self, as_role: Callable[[str], Cube]) -> None:
        rows = as_role("in_2017").query("net_sales, net_sales.previous_year", by="calendar.year").records()
        assert [(row["calendar.year"], row["net_sales.previous_year"]) for row in rows] == [(2017, None)]
        rolling = as_role("in_2017").query("buyers.rolling_12_months", by="calendar.month").records()
        assert {row["calendar.month"] for row in rolling} == {"2017-01", "2017-02", "2017-03"}
        (new,) = as_role("in_2017").query("new_customers", by="calendar.year").records()
        assert new["new_customers"] == 6

    def test_no_condition_of_a_question_widens_it(self, as_role: Callable[[str], Cube]) -> None:
        north = as_role("north")
        whole = only(north, "net_sales")
        for where in (
            "store.region = 'North' or store.region = 'South'",
            "store.region = 'South' or calendar.year > 1900",
            "not (store.region = 'North') or store.region is not null",
            "(store.region = 'North') or (not store.region = 'North')",
            "store.region like '%' -- ",
            "store.region like '%' /* */ or store.region is null",
        ):
            assert only(north, "net_sales", where=where) == whole, where
        assert only(north, "net_sales", where="store.region = 'South'") is None

    @pytest.mark.parametrize("text", ["store.region = 'x') or (store.region = 'South'", "true) or (true", "1 = 1"])
    def test_what_would_break_out_of_it_is_no_condition(self, as_role: Callable[[str], Cube], text: str) -> None:
        with pytest.raises(CubeError):
            as_role("north").query("net_sales", where=text)

    def test_both_sides_of_a_conversion_must_be_known_by_it(self, as_role: Callable[[str], Cube]) -> None:
        with pytest.raises(CubeError, match=r"redemptions .* can't be told by store.region"):
            as_role("north").query("conversion")
        assert only(as_role("in_2017"), "conversion") == 2 / 3

    def test_a_fact_that_does_not_know_the_level_is_refused(self, as_role: Callable[[str], Cube]) -> None:
        with pytest.raises(CubeError, match=r"role bread sees only rows where product.category"):
            as_role("bread").query("contacts")
        assert only(as_role("bread"), "net_sales") == 60 + 1000

    def test_a_role_that_is_not_known_is_refused(self, as_role: Callable[[str], Cube]) -> None:
        with pytest.raises(CubeError, match="there is no role 'norht'"):
            as_role("norht")
        with pytest.raises(CubeError, match="there is no level"):
            as_role("broken")

    def test_the_role_comes_from_the_settings(self, warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from dagster_project.settings import settings

        monkeypatch.setenv("CLIENTELE_ROLE", "north")
        settings.cache_clear()
        try:
            assert only(Cube.open(warehouse), "buyers") == 3
            assert only(Cube.open(warehouse, role=""), "buyers") == 6
        finally:
            settings.cache_clear()


class TestSmallCells:
    def test_a_cell_of_few_people_is_hidden_and_says_so(self, as_role: Callable[[str], Cube]) -> None:
        (record,) = as_role("careful").query("net_sales, lines", where="store.store_id = '2'").records()
        assert record == {"net_sales": None, "lines": None, "suppressed": True}

    def test_without_a_role_nothing_is_hidden_nor_marked(self, as_role: Callable[[str], Cube]) -> None:
        assert as_role("").query("net_sales", by="store.store_id").table.column_names == ["store.store_id", "net_sales"]
        assert "suppressed" not in as_role("north").query("net_sales").table.column_names

    def test_the_next_smallest_cell_is_hidden_with_a_lone_one(self, tmp_path: Path) -> None:
        made = SmallCube(regions=["A", "B", "C", "D"], policies=ROLES)
        people = iter(range(1, 100))
        for store, count in enumerate((1, 4, 3, 9), start=1):
            made.lines += [(JANUARY, store, 1, next(people), 10) for _ in range(count)]
        cube = Cube(made.write(tmp_path / "warehouse.duckdb"), role="careful")
        rows = cube.query("net_sales, net_sales.share, net_sales.rank", by="store.region").records()
        assert [(row["store.region"], row["net_sales"] is None) for row in rows] == [
            ("A", True), ("B", False), ("C", True), ("D", False),
        ]  # fmt: skip
        # a share tells of the hidden cells together, of four people; a rank of one between others
        assert [row["net_sales.share"] is None for row in rows] == [True, False, True, False]
        assert [row["net_sales.rank"] for row in rows] == [None] * 4
        assert all(row["suppressed"] for row in rows)

    def test_what_a_cell_holds_of_nobody_is_shown(self, tmp_path: Path) -> None:
        made = SmallCube(policies=ROLES)
        made.lines = [(JANUARY, 1, 1, -1, 10), *((JANUARY, 2, 1, person, 10) for person in (1, 2, 3))]
        rows = Cube(made.write(tmp_path / "warehouse.duckdb"), role="careful").query("net_sales", by="store.store_id")
        assert [row["suppressed"] for row in rows.records()] == [False, False]

    def test_order_and_limit_tell_nothing_of_hidden_cells(self, as_role: Callable[[str], Cube]) -> None:
        careful = as_role("careful")
        rows = careful.query("net_sales", by="store.store_id", where="calendar.month = '2017-01'").records()
        shown = [row for row in rows if not row["suppressed"]]
        ordered = careful.query(
            "net_sales", by="store.store_id", where="calendar.month = '2017-01'", order="-net_sales", limit=2
        ).records()
        assert ordered == (shown + [row for row in rows if row["suppressed"]])[:2]

    def test_people_are_counted_over_the_days_of_each_window(self, tmp_path: Path) -> None:
        made = SmallCube(policies=ROLES)
        made.lines = [(JANUARY, 1, 1, 1, 10), *((FEBRUARY, 1, 1, person, 10) for person in range(1, 6))]
        careful = Cube(made.write(tmp_path / "warehouse.duckdb"), role="careful")
        asked = {"by": "calendar.month", "where": "calendar.month = '2017-02'"}
        assert careful.query("net_sales", **asked).records()[0]["suppressed"] is False
        (record,) = careful.query("net_sales, net_sales.previous_period", **asked).records()
        assert (record["net_sales.previous_period"], record["suppressed"]) == (None, True)

    def test_few_people_who_moved_are_few_people(self, tmp_path: Path) -> None:
        made = SmallCube(policies=ROLES)
        made.lines = [(day, 1, 1, person, 10) for day, n in ((JANUARY, 9), (FEBRUARY, 8)) for person in range(n)]
        careful = Cube(made.write(tmp_path / "warehouse.duckdb"), role="careful")
        asked = {"by": "calendar.month", "where": "calendar.month = '2017-02'"}
        assert careful.query("retained_customers", **asked).records()[0]["retained_customers"] == 7
        assert careful.query("lost_customers", **asked).records()[0]["lost_customers"] is None
        assert careful.query("retention_rate", **asked).records()[0]["retention_rate"] is None

    def test_conversions_of_few_people_are_hidden(self, as_role: Callable[[str], Cube]) -> None:
        (record,) = as_role("careful").query("conversion").records()
        assert record == {"conversion": None, "suppressed": True}

    def test_the_condition_of_the_role_decides_who_is_counted(self, as_role: Callable[[str], Cube]) -> None:
        rows = as_role("careful_north").query("net_sales", by="store.store_id").records()
        assert [row["store.store_id"] for row in rows] == ["1", "2"]
        assert all(row["suppressed"] for row in rows)

    def test_a_pivot_keeps_the_mark(self, as_role: Callable[[str], Cube]) -> None:
        answer = as_role("careful").query("net_sales", by="store.store_id, calendar.month")
        assert ("suppressed", "2017-01") in answer.pivot("calendar.month").columns
        assert (
            "suppressed" not in as_role("careful").query("net_sales", by="calendar.year").pivot("calendar.year").index
        )
