"""Basket pairs: the model's own SQL from order lines to pairs by month, against mlxtend's fpgrowth from baskets."""

from __future__ import annotations

import statistics
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.context import Bound, Context, Part
from benchmarks.data import link_files
from benchmarks.home import Home
from benchmarks.measure import BenchmarkError, tell

LAST_DAY = date(2017, 12, 31)
# Level -> minimum support of the comparison.
CASES = {"category": 0.005, "product": 0.001}
COMPILED = Path("target") / "compiled" / "clientele" / "models" / "marts" / "product" / "basket_pair_months.sql"
ITEMS = '"warehouse"."mart"."basket_items"'
LEVELS = '"staged"."staging"."basket_levels"'

Counts = dict[frozenset[int], int]


def run(context: Context) -> Part:
    part = Part("Basket pairs against mlxtend's fpgrowth")
    home = Home(context.work / "baskets", link_files(context.data, context.work / "baskets-data"))
    home.load(LAST_DAY)
    rows = []
    for level, min_support in CASES.items():
        ours = [_pairs(home.warehouse, level, min_support) for _ in range(context.repeat)]
        held, keys = _baskets(home.warehouse, level, min_support)
        theirs = [_fpgrowth(held, keys, min_support) for _ in range(context.repeat)]
        _same(ours[0][1], theirs[0][1], level)
        our, their = (statistics.median(seconds for seconds, _ in runs) for runs in (ours, theirs))
        tell(f"baskets: {level} at {min_support}: {our:.2f} s, fpgrowth {their:.2f} s")
        part.bounds.append(
            Bound(f"pairs of {level} at support {min_support} against fpgrowth", round(our / their, 3), 0.2, unit="x")
        )
        rows.append({
            "level": level, "minimum support": f"{min_support:.1%}", "baskets": held.shape[0],
            "frequent items": held.shape[1], "frequent pairs": len(ours[0][1]), "ours, s": round(our, 2),
            "fpgrowth, s": round(their, 2),
        })  # fmt: skip
    part.table("From order lines to pairs by month; fpgrowth from baskets in memory (medians)", rows)
    part.remarks += [
        f"mlxtend {version('mlxtend')} gets the frequent items only, as booleans, and is asked for pairs only"
        " (max_len=2); making its table is not counted. Ours reads the lines, joins the products and counts by month.",
        "Both find the same pairs with the same counts.",
    ]
    return part


def _pairs(warehouse: Path, level: str, min_support: float) -> tuple[float, Counts]:
    """Seconds of the model's own SQL with one level's items, and the frequent pairs it finds."""
    sql = (warehouse.parent / COMPILED).read_text()
    if ITEMS not in sql or LEVELS not in sql:
        raise BenchmarkError(f"{COMPILED.name} does not read {ITEMS} and {LEVELS} any more")
    with duckdb.connect() as con:
        con.execute(f"attach '{warehouse}' as warehouse (read_only)")
        con.execute(
            "create table items as select * from warehouse.mart.basket_items"
            f" where item_level = '{level}' and support >= {min_support}"
        )
        con.execute(f"create table levels as select '{level}' as item_level, {min_support} as min_support")
        started = time.perf_counter()
        con.execute(f"create table pairs as {sql.replace(ITEMS, 'items').replace(LEVELS, 'levels')}")
        found = con.execute(
            "select item_a_key, item_b_key, sum(baskets)::bigint from pairs where item_a_key < item_b_key group by all"
            f" having sum(baskets) >= {min_support} * (select max(all_baskets) from items)"
        ).fetchall()
        return time.perf_counter() - started, {frozenset(row[:2]): row[2] for row in found}


def _baskets(warehouse: Path, level: str, min_support: float) -> tuple[Any, list[int]]:
    """One row a basket, one column of booleans a frequent item, as mlxtend wants it; and the items' keys."""
    import numpy as np

    name = {"category": "p.department is not distinct from i.department and p.category = i.item",
            "product": "p.product_id = i.item"}[level]  # fmt: skip
    with duckdb.connect(str(warehouse), read_only=True) as con:
        lines: dict[str, Any] = con.execute(
            "with sold as (select l.order_id, p.*"
            " from star.fct_sales_line l join star.dim_product p using (product_key)"
            " where l.quantity > 0 and p.product_key > 0) select dense_rank() over (order by p.order_id) - 1,"
            f" coalesce(i.item_key, -1) from sold p left join mart.basket_items i on i.item_level = '{level}'"
            f" and i.support >= {min_support} and i.source_system = p.source_system and {name}"
        ).fetchnumpy()
    basket, item = lines.values()
    keys, column = np.unique(item[item != -1], return_inverse=True)
    held = np.zeros((basket.max() + 1, len(keys)), dtype=bool)
    held[basket[item != -1], column] = True
    return held, [int(key) for key in keys]


def _fpgrowth(held: Any, keys: list[int], min_support: float) -> tuple[float, Counts]:
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth

    frame = pd.DataFrame(held, columns=keys)
    started = time.perf_counter()
    found = fpgrowth(frame, min_support=min_support, use_colnames=True, max_len=2)
    seconds = time.perf_counter() - started
    return seconds, {
        frozenset(items): round(support * len(frame))
        for items, support in zip(found["itemsets"], found["support"], strict=True)
        if len(items) == 2
    }


def _same(ours: Counts, theirs: Counts, level: str) -> None:
    if ours != theirs:
        differing = [pair for pair in ours.keys() | theirs.keys() if ours.get(pair) != theirs.get(pair)]
        raise BenchmarkError(f"mlxtend says otherwise of {len(differing)} pairs of {level}, such as {differing[:3]}")
