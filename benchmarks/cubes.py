"""Cubes: answers against the fact, growth, building, a night's refresh, compiling, distinct people."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.asking import Asked, Compiled, ask_all, compile_both, first_compiles, process_figures
from benchmarks.context import Bound, Context, Part
from benchmarks.data import write_copies, write_source
from benchmarks.grains import INCREMENTAL, TABLES
from benchmarks.growth import BYTES_A_COPY, HISTORY_UP_TO, copies
from benchmarks.home import Home
from benchmarks.measure import BenchmarkError, exponent, run_measured, tell
from benchmarks.opponents import export, same_cells

SIZES = (1, 10)
# Of lines, beyond which the others, which hold all lines in memory at once, are left out.
OTHERS_UP_TO = 20_000_000
# The tables of cells, and those they are counted from.
MADE_BY_GRAINS = ("sales_orders", "sales_customer_months", "sales_month_grains", "sales_grains")
COMPILED = Path("target") / "compiled" / "clientele" / "models" / "cubes"


@dataclass
class Runs:
    """Runs of one side: seconds of each by what was done, and peak memory."""

    wall: list[dict[str, float]] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)

    def median(self, names: Sequence[str] = (), *, cpu: bool = False) -> float:
        """Of the sums of what is named; of all of it if nothing is."""
        runs = self.cpu if cpu else self.wall
        return statistics.median(sum(run[name] for name in names or run) for run in runs)


@dataclass
class Size:
    """What was found at one size of the history."""

    copies: int
    lines: int
    rows: dict[str, int]
    built: dict[str, float]
    night: dict[str, float]
    asked: list[Asked] = field(default_factory=list)
    runs: dict[str, Runs] = field(default_factory=dict)


def run(context: Context) -> Part:
    part = Part("Cubes against the fact, others and MetricFlow")
    sources = write_source(context.work / "cubes-sources")
    sizes: list[Size] = []
    compiled: list[Compiled] = []
    firsts: list[float] = []
    for count in context.sizes or SIZES:
        free = shutil.disk_usage(context.work).free
        if free < count * BYTES_A_COPY:
            part.remarks.append(f"{count}x was left out: {count * BYTES_A_COPY / 1e9:.0f} GB of disk are not free.")
            continue
        folder = context.work / f"cubes-{count}"
        size, target = _loaded(context, folder, sources, count)
        sizes.append(size)
        warehouse = folder / "warehouse.duckdb"
        if not compiled:
            firsts = first_compiles(warehouse)
            compiled = compile_both(warehouse, target, folder, context.repeat)
        size.asked = ask_all(warehouse, folder / "queries", context.repeat)
        tell(f"cubes: {len(size.asked)} questions answered alike at {count}x")
        _build(context, folder, size)
        shutil.rmtree(folder)
    _answers(part, sizes)
    _growth(part, sizes)
    _built(part, sizes)
    _compiling(part, firsts, compiled)
    part.remarks += [
        "The history is loaded by `clientele load` as for the growth of a night (copies of the year in the five years"
        " before), then one night; questions are asked of that release, after one round that is not counted and in"
        " which each answer from the cube was compared with that from the fact.",
        "Answers and tables are compared cell by cell, also those of chDB, polars and MetricFlow; money exactly.",
    ]
    return part


def _loaded(context: Context, folder: Path, sources: Path, count: int) -> tuple[Size, Path]:
    """Load history and a night; leaves in `folder` the release's file and the SQL that dbt compiled for both."""
    data = write_copies(context.data, folder / "data", copies(count))
    home = Home(folder / "home", data, sources, keep=1)
    seconds = []
    for name, day in (("whole", HISTORY_UP_TO), ("night", HISTORY_UP_TO + timedelta(days=1))):
        load = home.load(day)
        tell(f"cubes: {name} of {count}x loaded in {load.process.wall:.0f} s")
        release = home.warehouse.parent
        (folder / name).mkdir()
        for table in TABLES:
            shutil.copy(release / COMPILED / f"{table}.sql", folder / name)
        results = json.loads((release / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
        taken = {row["unique_id"].rpartition(".")[2]: row["execution_time"] for row in results}
        seconds.append({table: round(taken[table], 2) for table in TABLES})
    night = (folder / "night" / "sales_base.sql").read_text(encoding="utf-8")
    months = sorted(set(re.findall(r">= date '(\d{4}-\d\d-\d\d)'", night)))
    (folder / "night" / "months.json").write_text(json.dumps(months), encoding="utf-8")
    shutil.copyfile(home.warehouse, folder / "warehouse.duckdb")
    shutil.copytree(home.warehouse.parent / "target", folder / "target")
    shutil.rmtree(home.path)
    shutil.rmtree(data)
    tables = load.report["tables"]
    rows = {table: tables[f"cube.{table}"] for table in TABLES}
    return Size(count, tables["star.fct_sales_line"], rows, *seconds), folder / "target"


def _build(context: Context, folder: Path, size: Size) -> None:
    """Build and refresh all tables in turns with chDB and polars; every result must be that of the load."""
    sides = ["rebuild", "refresh"]
    warehouse = folder / "warehouse.duckdb"
    if size.lines <= OTHERS_UP_TO:
        export(warehouse, folder)
        sides += ["chdb", "polars"]
    expected = _fingerprints(warehouse)
    size.runs = {side: Runs() for side in sides}
    for _ in range(context.repeat):
        for side, runs in size.runs.items():
            done = run_measured([sys.executable, "-m", "benchmarks.grains", side, str(folder)], {})
            figures = process_figures(done.out)
            runs.wall.append(figures["wall"])
            runs.cpu.append(figures["cpu"])
            runs.peak_mb.append(done.peak_mb)
            tell(f"cubes: {side} at {size.copies}x: {sum(figures['wall'].values()):.1f} s")
            if side in {"chdb", "polars"}:
                same_cells(warehouse, folder / f"{side}.parquet", side)
            elif _fingerprints(warehouse) != expected:
                raise BenchmarkError(f"{side} of the cube gave other rows than the load")


def _fingerprints(warehouse: Path) -> dict[str, tuple[Any, ...]]:
    """Of each table of the cube: rows and a sum of their hashes, whatever their order."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return {
            table: con.execute(
                f"select count(*), sum(hash({', '.join(_columns(con, table))})) from cube.{table}"
            ).fetchall()[0]
            for table in TABLES
        }


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return sorted(row[0] for row in con.execute(f"describe cube.{table}").fetchall())


def _answers(part: Part, sizes: Sequence[Size]) -> None:
    if not sizes:
        return
    # promised at 15M lines; what is larger is in the tables
    promised = max((size for size in sizes if size.lines <= OTHERS_UP_TO), key=lambda size: size.lines)
    told = f"at {promised.lines / 1e6:.1f}M lines"
    every = [1 / asked.ratio for asked in promised.asked]
    people = [1 / asked.ratio for asked in promised.asked if asked.question.people]
    part.bounds += [
        Bound(f"cube query against the fact {told}, median", round(statistics.median(every), 4), 0.05, unit="x"),
        Bound(f"cube query against the fact {told}, slowest", round(max(every), 4), 0.2, unit="x"),
        Bound(f"distinct people against the fact {told}, median", round(statistics.median(people), 4), 0.2, unit="x"),
        Bound(f"distinct people against the fact {told}, slowest", round(max(people), 4), 0.2, unit="x"),
        Bound(
            "warm query against its SQL alone, median",
            round(statistics.median(asked.cube.median / asked.raw.median for asked in promised.asked), 3),
            1.5,
            unit="x",
        ),
    ]
    for size in sizes:
        part.table(
            f"Questions at {size.lines:,} lines (milliseconds, medians)",
            [
                {
                    "question": asked.question.name,
                    "rows": asked.rows,
                    "cube": round(asked.cube.median * 1000, 1),
                    "fact": round(asked.fact.median * 1000, 1),
                    "times faster": round(asked.ratio, 1),
                    "by CPU": round(asked.cpu_ratio, 1),
                    "x its SQL alone": round(asked.cube.median / asked.raw.median, 2),
                    "answered by": ", ".join(name.removeprefix("cube.") for name in asked.answered_by),
                }
                for asked in sorted(size.asked, key=lambda asked: -asked.ratio)
            ],
        )


def _growth(part: Part, sizes: Sequence[Size]) -> None:
    lines = [size.lines for size in sizes]
    rows, found, by_cpu = [], [], []
    for number, asked in enumerate(sizes[0].asked if sizes else ()):
        seconds = [size.asked[number].cube.median for size in sizes]
        growth = exponent(lines, seconds)
        cpu = exponent(lines, [size.asked[number].cube.median_cpu for size in sizes])
        if growth is None or cpu is None:
            return
        found.append(growth)
        by_cpu.append(cpu)
        row: dict[str, Any] = {"question": asked.question.name}
        row |= {f"{size.copies}x": round(value * 1000, 1) for size, value in zip(sizes, seconds, strict=True)}
        rows.append(row | {"exponent": growth, "by CPU": cpu})
    mean = round(statistics.mean(found), 3)
    part.bounds.append(Bound("growth exponent of cube queries over history, mean of the questions", mean, 0.2))
    part.remarks.append(
        f"The median of the questions' growth exponents is {statistics.median(found):g}; by CPU time the mean is"
        f" {statistics.mean(by_cpu):.3g}, the median {statistics.median(by_cpu):g}."
    )
    part.table("Growth of cube queries (milliseconds, medians)", sorted(rows, key=lambda row: -row["exponent"]))


def _built(part: Part, sizes: Sequence[Size]) -> None:
    rows: list[dict[str, Any]] = []
    for size in sizes:
        for side, runs in size.runs.items():
            cells = MADE_BY_GRAINS if side in {"rebuild", "refresh"} else ("grains",)
            rows.append(
                {
                    "lines": size.lines,
                    "side": side,
                    "runs": len(runs.wall),
                    "cells s": round(runs.median(cells), 2),
                    "cells CPU s": round(runs.median(cells, cpu=True), 2),
                    "all tables s": round(runs.median(), 2),
                    "all tables CPU s": round(runs.median(cpu=True), 2),
                    "peak MB": round(statistics.median(runs.peak_mb)),
                }
            )
    part.table("All cells, and all tables of the cube, made anew or refreshed (medians)", rows)
    _others(part, sizes)
    if sizes:
        largest = sizes[-1]
        night, whole = largest.runs["refresh"], largest.runs["rebuild"]
        part.bounds.append(
            Bound(
                f"refresh after a night against a rebuild at {largest.lines / 1e6:.1f}M lines",
                round(night.median() / whole.median(), 4),
                0.05,
                unit="x",
            )
        )
        part.remarks.append(f"By CPU time the refresh is {night.median(cpu=True) / whole.median(cpu=True):.3g}x.")
    part.table(
        "Tables one by one (seconds; alone as above, medians; dbt: as run by the load, beside other models)",
        [
            {
                "lines": size.lines,
                "table": table,
                "rows": size.rows[table],
                "rebuild": round(size.runs["rebuild"].median([table]), 2),
                "refresh": round(size.runs["refresh"].median([table]), 3),
                "dbt, whole history": size.built[table],
                "dbt, a night": size.night[table],
            }
            for size in sizes
            for table in TABLES
        ],
    )
    part.remarks.append(
        f"Alone means: the SQL that dbt compiled for the load, run by itself in a process of its own with two threads,"
        f" on a copy of the release; refreshed are {', '.join(INCREMENTAL)} for the night's month and the rest anew."
        " Cells are those of all grains, with orders and buyers counted; all tables are these and those beneath them."
        " chDB reads its own MergeTree tables, polars Parquet; getting the data there is not counted."
        f" chdb {version('chdb')}, polars {version('polars')}, dbt-metricflow {version('dbt-metricflow')}."
    )


def _others(part: Part, sizes: Sequence[Size]) -> None:
    measured = [size for size in sizes if "polars" in size.runs]
    for side in ("chdb", "polars") if measured else ():
        size = measured[-1]
        ours, theirs = size.runs["rebuild"], size.runs[side]
        cells = ours.median(MADE_BY_GRAINS, cpu=True) / theirs.median(("grains",), cpu=True)
        told = f"at {size.lines / 1e6:.1f}M lines"
        part.bounds.append(Bound(f"all cells against {side} {told}, CPU time", round(cells, 3), 0.333, unit="x"))
        part.remarks.append(
            f"Against {side} {told} all cells take"
            f" {ours.median(MADE_BY_GRAINS) / theirs.median(('grains',)):.2f}x by wall time;"
            f" all tables {ours.median() / theirs.median():.2f}x,"
            f" {ours.median(cpu=True) / theirs.median(cpu=True):.2f}x by CPU time."
        )
    for size in sizes:
        if "polars" not in size.runs:
            part.remarks.append(f"chDB and polars were left out at {size.lines:,} lines.")


def _compiling(part: Part, firsts: Sequence[float], compiled: Sequence[Compiled]) -> None:
    if not compiled:
        return
    inner = statistics.median(seconds for found in compiled for seconds in found.inner)
    ours = statistics.median(run.wall for found in compiled for run in found.ours)
    theirs = statistics.median(run.wall for found in compiled for run in found.theirs)
    part.bounds += [
        Bound("first compile against `mf query`, within the process", round(statistics.median(firsts) / inner, 4), 0.05,
              unit="x"),
        Bound("first compile against `mf query`, process against process", round(ours / theirs, 3), 0.05, unit="x"),
    ]  # fmt: skip
    part.remarks.append(
        f"Within the process: the first compile of each of {len(firsts)} questions in an open cube"
        f" ({min(firsts) * 1000:.1f} to {max(firsts) * 1000:.1f} ms) against what `mf query --explain` says its query"
        " took. Process against process: starting Python, opening the release and compiling once against the whole of"
        " `mf query --explain` with its manifest already parsed."
    )
    part.table(
        "One question made SQL, process against process (seconds, medians)",
        [
            {
                "question": found.question,
                "ours": round(statistics.median(run.wall for run in found.ours), 2),
                "ours CPU": round(statistics.median(run.cpu for run in found.ours), 2),
                "mf query": round(statistics.median(run.wall for run in found.theirs), 2),
                "mf query CPU": round(statistics.median(run.cpu for run in found.theirs), 2),
                "of it by its own account": round(statistics.median(found.inner), 2),
            }
            for found in compiled
        ],
    )
