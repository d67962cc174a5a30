"""A night re-aggregates the months it touches, in every cuboid and grain, and no other."""

from __future__ import annotations

import duckdb
import pytest

from tests.support.installation import Installation
from tests.support.small_shop import SmallShop

pytestmark = pytest.mark.long

# A text of each that no test of the load reads: what is written over stays only if the rows are left alone.
MARKED = {
    "sales_base": "store_id",
    "sales_store_days": "department",
    "sales_orders": "order_id",
    "sales_customer_months": "department",
    "sales_month_grains": "period",
    "sales_grains": "period",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """December, January and March loaded, their cells marked, then a night in March with a late line of March."""
    shop = SmallShop(tmp_path_factory.mktemp("nights") / "data")
    shop.line(99, 1, 10, "2016-12-28 15:00:00", 1.00)
    shop.line(100, 1, 10, "2017-01-10 15:00:00", 2.00)
    shop.line(101, 2, 20, "2017-03-01 15:00:00", 3.00)
    shop.write()
    home = Installation(shop.folder.parent / "home", shop.folder)
    home.load("2017-03-02")
    with duckdb.connect(str(home.warehouse.resolve())) as con:
        for table, column in MARKED.items():
            con.execute(f"update cube.{table} set {column} = 'marked ' || {column}")
    shop.line(102, 2, 20, "2017-03-03 15:00:00", 5.00)
    shop.line(103, 1, 20, "2017-03-01 16:00:00", 7.00)
    shop.write()
    home.load("2017-03-03")
    return home


@pytest.mark.parametrize("table", [table for table in MARKED if table != "sales_grains"])
def test_a_night_leaves_the_months_alone_that_it_does_not_touch(home: Installation, table: str) -> None:
    marked = home.sql(
        f"select month_start_date::varchar, bool_and({MARKED[table]} like 'marked %'), bool_or({MARKED[table]} like"
        f" 'marked %') from cube.{table} group by all order by all"
    )
    assert marked == [("2016-12-01", True, True), ("2017-01-01", True, True), ("2017-03-01", False, False)]


def test_of_the_longer_periods_those_are_kept_that_no_touched_month_lies_in(home: Installation) -> None:
    kept = home.sql(
        "select grain, period_start_date::varchar from cube.sales_grains where period like 'marked %' order by all"
    )
    assert kept == [
        ("quarter", "2016-10-01"), ("week", "2016-12-26"), ("week", "2017-01-09"), ("year", "2016-01-01"),
    ]  # fmt: skip


def test_the_touched_month_has_the_late_line_in_every_grain(home: Installation) -> None:
    years = "select net_sales::int, orders, buyers from cube.sales_by_year order by period_start_date"
    assert home.sql(years) == [(1, 1, 1), (17, 4, 2)]
    assert home.sql("select net_sales::int, orders, buyers from cube.sales_total") == [(18, 5, 2)]
    months = "select net_sales::int, orders, buyers from cube.sales_by_month where period_start_date = '2017-03-01'"
    assert home.sql(months) == [(15, 3, 2)]
