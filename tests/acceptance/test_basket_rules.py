"""Basket rules of real baskets are those that mlxtend finds, at every level of the product hierarchy."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.support.basket_peer import MEASURES, assert_same_rules, rules_of
from tests.support.installation import Installation

# over its own source: test_basket_source.py, which is run each time
pytestmark = pytest.mark.long

# Level -> how the source's own files tell an item, and the support from which rules are compared.
LEVELS = {
    "department": ("department", 0.001),
    "category": ("department || '/' || product_category", 0.01),
    "product": ("product_id::varchar", 0.005),
}


@pytest.fixture(scope="module")
def home(slice_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("baskets")
    shutil.copytree(slice_dir, folder / "data")
    loaded = Installation(folder / "home", folder / "data")
    loaded.load()
    return loaded


@pytest.mark.parametrize("level", LEVELS)
def test_the_rules_are_those_of_mlxtend(home: Installation, level: str) -> None:
    item, min_support = LEVELS[level]
    files = home.data
    with duckdb.connect() as con:
        sold = f"'{files}/transactions.parquet' join '{files}/products.parquet' using (product_id) where quantity > 0"
        baskets = con.execute(f"select basket_id::varchar, {item} from {sold} and {item} is not null").fetchall()
        found = con.execute(f"select count(distinct basket_id) from {sold}").fetchone()
    assert found
    name = "{0}_department || '/' || {0}" if level == "category" else "{0}"
    ours = home.sql(
        f"select {name.format('antecedent')}, {name.format('consequent')}, {MEASURES} from mart.mart_basket_rule"
        f" where item_level = '{level}' and support >= {min_support}"
    )
    theirs = rules_of(baskets, min_support, found[0])
    assert len(theirs) > 50
    assert_same_rules({row[:2]: row[2:] for row in ours}, theirs)


def test_the_share_of_baskets_with_an_item_is_the_cubes(home: Installation) -> None:
    # the cube counts orders with lines of any quantity, so it is asked about those of a positive one
    counted = home.sql(
        "select i.item, i.baskets from mart.basket_items i where item_level = 'department' order by item"
    )
    expected = home.sql(
        "select p.department, count(distinct l.order_id) from star.fct_sales_line l join star.dim_product p"
        " using (product_key) where l.quantity > 0 and p.product_key > 0 and p.department is not null"
        " group by 1 having count(distinct l.order_id) >= 0.001 * (select baskets from mart.basket_windows) order by 1"
    )
    assert counted == expected
