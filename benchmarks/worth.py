"""What customers are worth: our fits and those of `lifetimes` on the same groups, CDNOW's sample and a million."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.context import Bound, Context, Part
from benchmarks.fits import WAREHOUSE, Timed
from benchmarks.measure import PROJECT, BenchmarkError, Measured, run_measured, tell
from dagster_project.clv import statistics as clv

MODELS = ("bg_nbd", "pareto_nbd", "gamma_gamma")
# What is fitted -> file, where in its lines day and dollars begin, and how often it is copied.
CASES = {
    "CDNOW's sample": ("CDNOW_sample.txt", (13, 24), 1),  # 2,357 customers
    "CDNOW 43 times": ("CDNOW_master.txt", (8, 19), 43),  # of 23,570
}
GROUPS = "groups.npz"
CLOSE = 0.01
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}  # what ours sets for itself, and lifetimes is as fast or faster with


def run(context: Context) -> Part:
    part = Part("What customers are worth: fits of purchase and value models")
    source = importlib.util.find_spec("lifetimes")
    if source is None or not source.submodule_search_locations:
        part.skipped = "the package lifetimes, which holds CDNOW, is not installed"
        part.remarks.append(part.skipped)
        return part
    data = Path(next(iter(source.submodule_search_locations))) / "datasets"
    sides = _sides()
    if "lifetimes" not in sides:
        part.remarks.append("lifetimes was left out: there is no uv to make its environment.")
    for name, (file, columns, copies) in CASES.items():
        folder = context.work / f"worth-{copies}"
        folder.mkdir()
        _replicate(data / file, columns, copies, folder)
        runs: dict[str, list[Timed]] = {side: [] for side in sides}
        processes: dict[str, list[Measured]] = {side: [] for side in sides}
        for _ in range(context.repeat):
            for side, (command, input_) in sides.items():
                done = run_measured([*command, str(folder / input_)], ONE_THREAD)
                processes[side].append(done)
                runs[side].append(json.loads(done.out.splitlines()[-1]))
                tell(f"worth: {side} fitted {name} in {done.wall:.1f} s")
        _compare(part, name, runs)
        part.table(f"{name}: fits (medians)", _rows(runs))
        part.table(f"{name}: memory", _peaks(processes))
        shutil.rmtree(folder)
    part.remarks += [
        "Ours starts at the orders: the statistics are its SQL over them, in days. Both fit the same groups of"
        " customers, which lifetimes counts by its weights; only the fits are compared, and each keeps to one thread.",
        "lifetimes runs in an environment of its own, with the versions that benchmarks/opponent_lifetimes.py pins.",
    ]
    return part


def _sides() -> dict[str, tuple[list[str], str]]:
    """Command of each side, and what of the folder it is given."""
    sides = {"ours": ([sys.executable, "-m", "benchmarks.fits"], "")}
    if uv := shutil.which("uv", path=os.pathsep.join([str(PROJECT / ".uv" / "bin"), os.environ["PATH"]])):
        script = Path(__file__).with_name("opponent_lifetimes.py")
        sides["lifetimes"] = ([uv, "run", "--quiet", "--script", str(script)], GROUPS)
    return sides


def _replicate(file: Path, columns: tuple[int, int], copies: int, folder: Path) -> None:
    """A warehouse with the purchases as orders, each customer many times, and its groups for the other side."""
    day, dollars = columns
    with duckdb.connect(str(folder / WAREHOUSE)) as con:
        con.execute("create schema cube")
        con.execute(f"""
            create table cube.sales_orders as
            select
                cast(strptime(line[{day}:{day + 7}], '%Y%m%d') as date) as order_date,
                cast(line[2:6] as bigint) + 100000 * copy as mastered_customer_key,
                cast(trim(line[{dollars}:]) as decimal(19, 4)) as net_sales
            from read_csv('{file}', columns = {{'line': 'varchar'}}, delim = '|', header = {copies > 1}),
                range({copies}) as t (copy)
        """)
        known = clv.from_warehouse(con)
    groups: dict[str, Any] = vars(known.purchases)
    values = {"days": known.values.days, "amount": known.values.amount, "payers": known.values.customers}
    np.savez(folder / GROUPS, **(groups | values))


def _median(runs: list[Timed], step: str) -> float:
    return statistics.median(run[step][0] for run in runs)


def _rows(runs: dict[str, list[Timed]]) -> list[dict[str, object]]:
    rows = []
    for side, found in runs.items():
        for step, (_, parameters) in found[0].items():
            told = ", ".join(f"{name} {value:.4g}" for name, value in parameters.items())
            rows.append({"side": side, "step": step, "s": round(_median(found, step), 3), "found": told})
    return rows


def _peaks(processes: dict[str, list[Measured]]) -> list[dict[str, object]]:
    return [
        {"side": side, "peak MB of the process": round(statistics.median(one.peak_mb for one in found))}
        for side, found in processes.items()
    ]


def _compare(part: Part, name: str, runs: dict[str, list[Timed]]) -> None:
    """Raises BenchmarkError where the sides disagree: what is slow may at least be right."""
    if "lifetimes" not in runs:
        return
    apart = {
        f"{model} {parameter}": abs(value / runs["lifetimes"][0][model][1][parameter] - 1)
        for model in MODELS
        for parameter, value in runs["ours"][0][model][1].items()
    }
    if wrong := {parameter: f"{far:.1%}" for parameter, far in apart.items() if far > CLOSE}:
        raise BenchmarkError(f"{name}: ours and lifetimes' differ: {wrong}")
    farthest = max(apart, key=lambda parameter: apart[parameter])
    part.remarks.append(
        f"{name}: the parameter farthest from that of lifetimes is {farthest}, by {apart[farthest]:.2%}."
    )
    whole = {side: sum(_median(found, model) for model in MODELS) for side, found in runs.items()}
    times = round(whole["ours"] / whole["lifetimes"], 3)
    part.bounds.append(Bound(f"the three fits of {name} against lifetimes", times, 0.5, unit="x"))
