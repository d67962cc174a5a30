"""The customer marts at a million customers: what they take of a load, how they grow, the open month, the fits."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks import worth
from benchmarks.context import Bound, Context, Part
from benchmarks.data import write_source
from benchmarks.home import Home, Loaded, stage_summary
from benchmarks.measure import PROJECT, BenchmarkError, Measured, exponent, process_rows, run_measured, tell
from benchmarks.people import EVERY, LINES, write_orders, write_people

SIZES = (102, 408)  # of 2,467 households
HISTORY_UP_TO = date(2017, 12, 14)
ORDERS = 10
FITS = 3
MODELS = PROJECT / "dbt" / "models"
# What is made for the customer marts only, and those of campaigns, which are told apart.
BENEATH = ("customer_purchases", "customer_campaigns")
FAMILIES = {
    "customer": (*(path.stem for path in (MODELS / "marts" / "customer").glob("*.sql")), *BENEATH),
    "campaign": tuple(
        path.stem
        for path in (*(MODELS / "marts" / "campaign").glob("*.sql"), *(MODELS / "intermediate").glob("*campaign*.sql"))
        if path.stem not in BENEATH
    ),
}
OPEN_MONTH = ("customer_months", "mart_customer_")
# Counts of people by month, which copies of everybody multiply.
COUNTED = {
    "mart_rfm_segment": ("customers", "orders_12_months", "net_sales_12_months"),
    "mart_customer_pyramid": ("customers", "value_12_months", "upgraded", "downgraded"),
    "mart_customer_movement": ("customers",),
    "mart_customer_cohort": ("cohort_customers", "buyers", "orders", "net_sales"),
}
KEYS = ("rfm_segment", "pyramid_tier", "parted_by", "from_part", "to_part", "cohort_month")
GROWTH_BOUND = 1.1
LONG = 1.0  # seconds of the smallest size, from which on a mart's growth is told by itself

Rows = dict[tuple[Any, ...], tuple[Any, ...]]


@dataclass
class Build:
    """Seconds of one load's models and their tests, and what all nodes of dbt took."""

    load: Loaded
    models: dict[str, float]
    tests: dict[str, float]
    nodes: float

    def share(self, seconds: float) -> float:
        """Of the load's wall time: dbt's stage parted among its nodes, two of which run at once."""
        return seconds / self.nodes * self.load.stages["dbt"] / self.load.process.wall


@dataclass
class Size:
    """What was found at one number of customers."""

    copies: int
    customers: int
    first: Build
    fit: Measured
    nights: list[Build]
    rebuild: Build | None
    counts: dict[str, Rows]


def run(context: Context) -> Part:
    part = Part("Customer marts at a million customers")
    sources = write_source(context.work / "customers-sources")
    wanted = context.sizes or SIZES
    sizes = [_size(context, sources, copies, with_rebuild=copies == wanted[0]) for copies in wanted]
    for size in sizes[1:]:
        _multiplied(sizes[0], size)
    _told(part, sizes)
    _growth(part, sizes)
    _open_month(part, sizes[-1])
    fits = worth.run(replace(context, repeat=max(FITS, context.repeat)))
    part.bounds += fits.bounds
    part.tables += fits.tables
    part.remarks += [*fits.remarks, f"The fits, which take seconds, were run {max(FITS, context.repeat)} times each."]
    return part


def _size(context: Context, sources: Path, copies: int, *, with_rebuild: bool) -> Size:
    folder = context.work / f"customers-{copies}"
    data = write_people(context.data, folder / "data", copies, HISTORY_UP_TO)
    home = Home(folder / "home", data, sources, keep=1)
    first = _build(home, home.load(HISTORY_UP_TO))
    tell(f"customers: {copies}x loaded in {first.load.process.wall:.0f} s")
    counts = _counts(home.warehouse)
    customers = _whole(home.warehouse)
    fit = run_measured([sys.executable, "-m", "dagster_project", "fit", "--json"], home.environment())
    tell(f"customers: {customers:,} fitted in {fit.wall:.0f} s")
    nights = []
    day = HISTORY_UP_TO
    for _ in range(context.repeat):
        day += timedelta(days=1)
        write_orders(context.data, data, day, ORDERS)
        nights.append(_build(home, home.load(day)))
        tell(f"customers: a night on {customers:,}: {nights[-1].load.process.wall:.0f} s")
    rebuild = None
    if with_rebuild:
        before = _fingerprints(home.warehouse)
        rebuild = _build(home, home.load(day, "--rebuild"))
        tell(f"customers: {customers:,} built anew in {rebuild.load.process.wall:.0f} s")
        after = _fingerprints(home.warehouse)
        if wrong := [table for table in before if before[table] != after[table]]:
            raise BenchmarkError(f"a rebuild gives other rows than the nights in {', '.join(wrong)}")
    shutil.rmtree(folder)
    return Size(copies, customers, first, fit, nights, rebuild, counts)


def _build(home: Home, load: Loaded) -> Build:
    target = home.warehouse.parent / "target"
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    models: dict[str, float] = {}
    tests: dict[str, float] = {}
    for result in results:
        node = nodes[result["unique_id"]]
        if node["resource_type"] == "model" and node["config"]["materialized"] != "view":
            models[node["name"]] = result["execution_time"]
        elif attached := node.get("attached_node"):
            name = attached.rpartition(".")[2]
            tests[name] = tests.get(name, 0.0) + result["execution_time"]
    return Build(load, models, tests, sum(result["execution_time"] for result in results))


def _whole(warehouse: Path) -> int:
    """How many customers there are, once the mart holds them all, and all they bought."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        people, bought = con.execute("select count(*), sum(net_sales_to_date) from mart.mart_customer_360").fetchall()[
            0
        ]
        expected = con.execute(
            "select (select count(*) from star.dim_mastered_customer where mastered_customer_key > 0),"
            " (select sum(net_amount) from star.fct_sales_line)"
        ).fetchall()[0]
    if (people, bought) != expected:
        raise BenchmarkError(f"mart_customer_360 has {people:,} people who bought for {bought}, the star {expected}")
    return int(people)


def _counts(warehouse: Path) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    with duckdb.connect(str(warehouse), read_only=True) as con:
        for table, measures in COUNTED.items():
            columns = {row[0] for row in con.execute(f"describe mart.{table}").fetchall()}
            keys = ["month_start_date", *(key for key in KEYS if key in columns)]
            rows = con.execute(f"select {', '.join([*keys, *measures])} from mart.{table}").fetchall()
            found[table] = {row[: len(keys)]: row[len(keys) :] for row in rows}
    return found


def _multiplied(one: Size, other: Size) -> None:
    """Raises BenchmarkError unless copies of everybody multiply each count of people and leave each rank."""
    for table in COUNTED:
        ours, theirs = _times(one.counts[table], other.copies), _times(other.counts[table], one.copies)
        if ours != theirs:
            wrong = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
            raise BenchmarkError(f"{table} does not count {other.copies} / {one.copies} times as many: {wrong[:3]}")


def _times(rows: Rows, factor: int) -> Rows:
    return {key: tuple(None if value is None else value * factor for value in row) for key, row in rows.items()}


def _fingerprints(warehouse: Path) -> dict[str, tuple[Any, ...]]:
    """Of each table of customers: rows and a sum of their hashes, whatever their order."""
    found = {}
    with duckdb.connect(str(warehouse), read_only=True) as con:
        tables = con.execute(
            "select schema_name || '.' || table_name, table_name from duckdb_tables() where schema_name = 'mart'"
        ).fetchall()
        for table, name in tables:
            if name in FAMILIES["customer"]:
                columns = ", ".join(
                    sorted(row[0] for row in con.execute(f"describe {table}").fetchall() if row[0] != "load_id")
                )
                found[name] = con.execute(f"select count(*), sum(hash({columns})) from {table}").fetchall()[0]
    return found


def _told(part: Part, sizes: Sequence[Size]) -> None:
    rows = []
    for size in sizes:
        load, tables = size.first.load, size.first.load.report["tables"]
        shares = {
            f"{family} marts": f"{size.first.share(_seconds(size.first, names, tests=True)):.0%}"
            for family, names in FAMILIES.items()
        }
        rows.append(
            {
                "customers": size.customers,
                "order lines": tables["star.fct_sales_line"],
                "customer months with orders": tables["mart.customer_month_activity"],
                "load s": round(load.process.wall, 1),
                "dbt": f"{load.stages['dbt'] / load.process.wall:.0%}",
                **shares,
                "peak MB": round(load.process.peak_mb),
                "file MB": round(load.report["file_bytes"] / 1e6),
                "clientele fit s": round(size.fit.wall, 1),
            }
        )
    part.table("The first load, and what the marts with their tests take of it", rows)
    part.remarks += [
        f"Replicated: the 2,467 households of Complete Journey who bought by {HISTORY_UP_TO}, each with every"
        f" {EVERY}th of its baskets and at most {LINES} lines of each, with its bands, contacts of campaigns and"
        " redemptions, under new numbers. Stores, products, campaigns and coupons are the real ones, promotions a"
        " fiftieth.",
        f"A night brings {ORDERS} real baskets under new numbers in the open month, December; no other month is made"
        " anew. It reads a fit, the first load has none yet.",
        "Compared: each count by month in the marts of segments, tiers, movements and cohorts at one size is that at"
        " the other times the copies, and mart_customer_360 holds all customers and all they bought. After the nights"
        " at the smallest size a rebuild gives the same rows in every customer mart.",
        "A share is the node's seconds of those of all nodes, times dbt's share of the load's wall time: two nodes run"
        " at once, and each is slowed by the other.",
    ]


def _seconds(build: Build, names: Sequence[str], *, tests: bool = False) -> float:
    return sum(build.models.get(name, 0.0) + (build.tests.get(name, 0.0) if tests else 0.0) for name in names)


def _growth(part: Part, sizes: Sequence[Size]) -> None:
    largest = sizes[-1]
    people = [size.customers for size in sizes]
    rows = []
    exponents: dict[str, float] = {}
    for family, names in FAMILIES.items():
        made = sorted((name for name in names if name in largest.first.models), key=largest.first.models.__getitem__)
        for name in reversed(made):
            seconds = [size.first.models[name] for size in sizes]
            growth = exponent(people, seconds)
            if growth is not None and family == "customer" and seconds[0] >= LONG:
                exponents[name] = growth
            row: dict[str, Any] = {
                "mart": name,
                "of": family,
                "rows": largest.first.load.report["tables"].get(f"mart.{name}"),
            }
            row |= {f"{size.customers:,} s": round(value, 2) for size, value in zip(sizes, seconds, strict=True)}
            row |= {"its tests s": round(largest.first.tests.get(name, 0.0), 2)}
            row |= {"of the load": f"{largest.first.share(seconds[-1]):.1%}"}
            rows.append(row | {"ratio": round(seconds[-1] / seconds[0], 2), "exponent": growth})
    part.table(
        f"Marts in the first load; ratio and exponent of their time over {people[-1] / people[0]:g}x customers", rows
    )
    whole = exponent(people, [_seconds(size.first, FAMILIES["customer"]) for size in sizes])
    if whole is not None:
        part.bounds.append(Bound("growth exponent of the customer marts over customers", whole, GROWTH_BOUND))
    if exponents:
        worst = max(exponents, key=lambda name: exponents[name])
        part.remarks.append(
            f"Of the customer marts that take a second at the smallest size {worst} grows the most: its exponent is"
            f" {exponents[worst]:g}."
        )


def _open_month(part: Part, size: Size) -> None:
    first = size.first.models
    night = {
        name: statistics.median(build.models.get(name, 0.0) for build in size.nights)
        for name in FAMILIES["customer"]
        if name in first
    }
    anew = size.rebuild.models if size.rebuild else {}
    of_month = [name for name in night if name.startswith(OPEN_MONTH)]
    rows = [
        _night_row(f"**{told}**", {name: found for name, found in night.items() if name in names}, first, anew, size)
        for told, names in (
            ("customer_months and mart_customer_*", of_month),
            ("all for the customer marts", list(night)),
        )
    ]
    for name in sorted(night, key=lambda name: -night[name]):
        rows.append(_night_row(name, {name: night[name]}, first, anew, size))
    part.table(f"A night with {ORDERS} new orders in the open month on {size.customers:,} customers", rows)
    stages = [{"stage": name, "s": seconds} for name, seconds in stage_summary([b.load for b in size.nights]).items()]
    part.table("That night by stage (seconds, medians)", stages)
    processes = {"first load": [size.first.load.process], "night": [build.load.process for build in size.nights]}
    processes |= {"rebuild": [size.rebuild.load.process]} if size.rebuild else {}
    part.table("Processes", process_rows(processes | {"clientele fit": [size.fit]}))


def _night_row(
    told: str, night: Mapping[str, float], first: Mapping[str, float], anew: Mapping[str, float], size: Size
) -> dict[str, Any]:
    seconds, before, rebuilt = (sum(of.get(name, 0.0) for name in night) for of in (night, first, anew))
    row = {
        "model": told,
        "night s": round(seconds, 2),
        "per 1M customers s": round(seconds * 1e6 / size.customers, 2),
        "first load s": round(before, 2),
        "night / first load": round(seconds / before, 3),
    }
    if not anew:
        return row
    return row | {"rebuild s": round(rebuilt, 2), "night / rebuild": round(seconds / rebuilt, 3)}
