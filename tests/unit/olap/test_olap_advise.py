"""What is advised follows from what was asked, by the router's own rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.olap.advise import advise
from dagster_project.olap.cube import Cube
from dagster_project.olap.query import Query
from dagster_project.olap.querylog import QueryLog
from tests.support.small_cube import SmallCube


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4,000 lines: 20 people buy of 3 products in 3 stores, from day to day."""
    shop = SmallCube()
    first = date(2017, 1, 1)
    shop.lines = [
        (first + timedelta(days=nth % 300), 1 + nth % 3, 1 + nth // 300 % 3, 1 + nth % 20, 5) for nth in range(4000)
    ]
    return shop.write(tmp_path_factory.mktemp("advise") / "warehouse.duckdb")


@pytest.fixture
def cube(warehouse: Path, tmp_path: Path) -> Iterator[Cube]:
    opened = Cube(warehouse, QueryLog(tmp_path / "queries"))
    yield opened
    opened.close()


def logged(cube: Cube) -> QueryLog:
    assert cube.log is not None
    return cube.log


def test_an_empty_log_advises_nothing(cube: Cube) -> None:
    advice = advise(cube, logged(cube).read())
    assert (advice.questions, advice.reads, advice.additions, advice.removals) == (0, 0, (), ())


def test_the_levels_asked_for_together_are_worth_a_rollup(cube: Cube) -> None:
    for _ in range(3):
        cube.query("net_sales", by="product.department, calendar.month")
    advice = advise(cube, logged(cube).read())
    (addition,) = advice.additions
    assert addition.levels == ("calendar.month", "product.department")
    cells = len(cube.query("net_sales", by="product.department, calendar.month").records())
    assert (addition.rows, addition.rows_are, addition.made_from) == (cells, "counted", "star.fct_sales_line")
    assert (addition.reads, addition.gain) == (3, 3 * (4000 - cells))
    assert (advice.rows_read, advice.rows_read_after) == (3 * 4000, 3 * cells)


def test_two_sets_of_levels_are_served_by_their_union(cube: Cube) -> None:
    cube.query("net_sales", by="product.department, calendar.week")
    cube.query("lines", by="product.category, calendar.month")
    advice = advise(cube, logged(cube).read(), limit=1)
    (addition,) = advice.additions
    assert addition.reads == 2
    assert addition.levels == ("calendar.day", "product.category", "product.department")


def test_distinct_people_over_a_filter_need_a_rollup_that_holds_them(cube: Cube) -> None:
    cube.query("buyers", by="product.department", where="calendar.month in ('2017-01', '2017-02')")
    (addition,) = advise(cube, logged(cube).read()).additions
    assert addition.holds == ("buyers",)
    assert addition.levels == ("calendar.month", "product.department")


def test_distinct_people_by_the_very_cells_need_only_counts(cube: Cube) -> None:
    cube.query("buyers", by="product.department", where="calendar.month = '2017-01'")
    (addition,) = advise(cube, logged(cube).read()).additions
    assert addition.holds == ()


def test_a_rollup_nobody_used_can_be_dropped(cube: Cube) -> None:
    cube.query("net_sales.year_to_date", by="store.store_id, calendar.month")
    advice = advise(cube, logged(cube).read())
    dropped = {removal.rollup: removal for removal in advice.removals}
    assert dropped["sales_people"].cost == 0
    assert dropped["sales_people"].rows == 4000
    assert dropped["sales_people"].reads == 0


def test_a_rollup_that_another_stands_in_for_can_be_dropped_and_says_at_which_cost(cube: Cube) -> None:
    cube.query("net_sales", by="store.region, calendar.month")
    cube.query("net_sales", by="store.store_id, calendar.day")
    dropped = {removal.rollup: removal for removal in advise(cube, logged(cube).read()).removals}
    assert dropped["sales_months"].reads == 1
    assert dropped["sales_months"].instead == ("cube.sales_days",)
    assert dropped["sales_months"].cost == cube.sizes.rows["sales_days"] - cube.sizes.rows["sales_months"]
    assert "sales_days" not in dropped


def test_the_last_rollup_that_saves_reading_the_fact_stays(cube: Cube) -> None:
    cube.query("net_sales", by="store.region, calendar.month")
    dropped = [removal.rollup for removal in advise(cube, logged(cube).read()).removals]
    assert dropped == ["sales_people", "sales_days"]


def test_a_question_in_names_that_are_gone_is_left_out(cube: Cube) -> None:
    cube.query("net_sales", by="product.department")
    lines = [*logged(cube).read(), {"metrics": ["gone"], "by": [], "filtered": [], "pinned": []}]
    advice = advise(cube, lines)
    assert (advice.questions, advice.unknown, advice.reads) == (2, 1, 1)


def test_the_advice_is_from_names_alone(cube: Cube) -> None:
    """The log holds no member of a condition, and the router needs none."""
    asked = Query.of("buyers, lines", "calendar.month", "store.region = 'North' and calendar.year in (2016, 2017)")
    cube.ask(asked)
    (line,) = logged(cube).read()
    assert "North" not in json.dumps(line)
    relations = cube.compile(asked).relations
    assert [relation.answered_by for relation in relations] == ["cube.sales_people", "cube.sales_months"]
    assert advise(cube, [line]).rows_read == sum(relation.rows for relation in relations)


def test_what_a_role_reads_further_is_advised_on_too(tmp_path: Path) -> None:
    shop = SmallCube(policies={"careful_north": {"where": "store.region = 'North'", "min_customers": 3}})
    shop.lines = [(date(2017, 1, 1) + timedelta(days=nth % 90), 1 + nth % 3, 1, 1 + nth, 5) for nth in range(3000)]
    cube = Cube(shop.write(tmp_path / "warehouse.duckdb"), QueryLog(tmp_path / "queries"), role="careful_north")
    cube.query("lines", by="product.department")
    advice = advise(cube, logged(cube).read())
    assert advice.reads == 2
    assert {(addition.levels, addition.holds) for addition in advice.additions} == {
        (("product.department", "store.region"), ()),
    }
