"""What customers are worth: fits on a million customers, CDNOW's replicated, and `lifetimes` on the same groups."""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
from pathlib import Path

import duckdb

from benchmarks.context import Bound, Context, Part
from benchmarks.fits import PURCHASES, VALUES, WAREHOUSE, Timed
from benchmarks.measure import BenchmarkError, Measured, run_measured, tell
from dagster_project.clv import statistics as clv

COPIES = 43  # of 23,570 customers
MODELS = ("bg_nbd", "pareto_nbd", "gamma_gamma")
# lifetimes' Pareto/NBD ends where Nelder and Mead's simplex is small, ours where the likelihood is level.
CLOSE = 0.02


def run(context: Context) -> Part:
    part = Part("What customers are worth: fits of purchase and value models")
    source = importlib.util.find_spec("lifetimes")
    if source is None or not source.submodule_search_locations:
        part.skipped = "the package lifetimes, which holds CDNOW, is not installed"
        part.remarks.append(part.skipped)
        return part
    folder = context.work / "worth"
    folder.mkdir()
    _replicate(Path(next(iter(source.submodule_search_locations))) / "datasets" / "CDNOW_master.txt", folder)
    sides = ["ours"]
    if all(importlib.util.find_spec(needed) for needed in ("autograd", "dill")):
        sides.append("lifetimes")
    else:
        part.remarks.append("lifetimes was left out: autograd and dill, which its code needs, are not installed.")
    runs: dict[str, list[Timed]] = {side: [] for side in sides}
    processes: dict[str, list[Measured]] = {side: [] for side in sides}
    for _ in range(context.repeat):
        for side in sides:
            done = run_measured([sys.executable, "-m", "benchmarks.fits", side, str(folder)], {})
            processes[side].append(done)
            runs[side].append(json.loads(done.out.splitlines()[-1]))
            tell(f"worth: {side} fitted in {done.wall:.1f} s")
    _compare(part, runs)
    rows = []
    for side in sides:
        for step in runs[side][0]:
            row = {"side": side, "step": step, "s": round(_median(runs[side], step), 3)}
            parameters = runs[side][0][step][1]
            rows.append(row | {"found": ", ".join(f"{name} {value:.4g}" for name, value in parameters.items())})
    part.table(f"CDNOW {COPIES} times: customers, groups and fits", rows)
    peaks = [
        {"side": side, "peak MB": round(statistics.median(one.peak_mb for one in processes[side]))} for side in sides
    ]
    part.table("Memory", peaks)
    return part


def _replicate(file: Path, folder: Path) -> None:
    """A warehouse with CDNOW's purchases as orders, each customer many times, and its groups for the other side."""
    with duckdb.connect(str(folder / WAREHOUSE)) as con:
        con.execute("create schema cube")
        con.execute(f"""
            create table cube.sales_orders as
            select
                cast(strptime(line[8:15], '%Y%m%d') as date) as order_date,
                cast(line[2:6] as bigint) + 100000 * copy as mastered_customer_key,
                cast(trim(line[19:]) as decimal(19, 4)) as net_sales
            from read_csv('{file}', columns = {{'line': 'varchar'}}, delim = '|', header = true),
                range({COPIES}) as t (copy)
        """)
        known = clv.from_warehouse(con)
        for name, of in ((PURCHASES, known.purchases), (VALUES, known.values)):
            columns = vars(of)
            con.register("groups", dict(columns))
            con.execute(f"copy (from groups) to '{folder / name}' (format parquet)")
            con.unregister("groups")


def _median(runs: list[Timed], step: str) -> float:
    return statistics.median(run[step][0] for run in runs)


def _compare(part: Part, runs: dict[str, list[Timed]]) -> None:
    """Raises BenchmarkError where the sides disagree: what is slow may at least be right."""
    if "lifetimes" not in runs:
        return
    for model in MODELS:
        mine, theirs = (runs[side][0][model][1] for side in ("ours", "lifetimes"))
        wrong = {name: (value, theirs[name]) for name, value in mine.items() if abs(value / theirs[name] - 1) > CLOSE}
        if wrong:
            raise BenchmarkError(f"{model}: ours and lifetimes' differ: {wrong}")
    whole = {side: sum(_median(of, model) for model in MODELS) for side, of in runs.items()}
    part.bounds.append(
        Bound("the three fits against lifetimes", round(whole["ours"] / whole["lifetimes"], 3), 0.5, unit="x")
    )
