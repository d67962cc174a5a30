"""The whole default load on a fresh home against the floor: the same star and cube as one plain script."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.context import Bound, Context, Part
from benchmarks.home import Home, Loaded, stage_summary
from benchmarks.measure import BenchmarkError, Measured, process_rows, ratio, run_measured, summary, tell


def run(context: Context) -> Part:
    part = Part("The whole default load against the floor")
    loads: list[Loaded] = []
    floors: list[Measured] = []
    models: list[dict[str, float]] = []
    for turn in range(1, context.repeat + 1):
        home = Home(context.work / "default", context.data)
        loads.append(home.load())
        tell(f"default load {turn}: {loads[-1].process.wall:.1f} s")
        models.append(_model_seconds(home.warehouse.parent))
        if context.floor:
            floors.append(_floor(context.floor, context.data, context.work / "floor.duckdb", home))
            tell(f"floor {turn}: {floors[-1].wall:.1f} s")
        shutil.rmtree(home.path)
    processes = [load.process for load in loads]
    peak = summary([process.peak_mb for process in processes])["max"]
    if floors:
        found = ratio(processes, floors)
        part.bounds.append(Bound("wall time against the floor", found["median"], 5, 3, "x"))
        part.remarks.append(f"The ratio of the runs side by side was {found['min']} to {found['max']}.")
    else:
        part.remarks.append("Not compared with the floor: there is no floor.py in BENCH_FLOOR (../shared/bench).")
    part.bounds.append(Bound("peak memory of the load", round(peak), 4000, unit=" MB"))
    part.table("Processes", process_rows({"clientele load": processes} | ({"floor.py": floors} if floors else {})))
    part.table("Where the time of the load goes (medians, seconds)", _where(loads, floors))
    part.table("Feeds: seconds in landing and gate (medians)", _feeds(loads))
    part.table("The longest models and tests within dbt, several of which run at once (medians)", _longest(models))
    return part


def _floor(folder: Path, data: Path, file: Path, home: Home) -> Measured:
    """Run the floor and make sure that it says what the home's warehouse says."""
    measured = run_measured([sys.executable, str(folder / "floor.py"), str(data), str(file)], {})
    said = json.loads(measured.out)
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        lines, net, coverage = con.execute(
            "select count(*), sum(net_amount), (select count(*) from star.fct_promo_coverage) from star.fct_sales_line"
        ).fetchall()[0]
    expected = (said["sales_lines"], said["net_sales"], said["promo_coverage"])
    if (lines, str(net), coverage) != expected:
        raise BenchmarkError(f"the warehouse holds {(lines, str(net), coverage)}, the floor {expected}")
    file.unlink()
    return measured


def _model_seconds(release: Path) -> dict[str, float]:
    """Seconds by dbt node, from what dbt left in the release's folder."""
    results = json.loads((release / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {row["unique_id"]: row["execution_time"] for row in results}


def _where(loads: list[Loaded], floors: list[Measured]) -> list[dict[str, Any]]:
    whole = summary([load.process.wall for load in loads])["median"]
    floor = summary([run.wall for run in floors])["median"] if floors else None
    rows = []
    for name, seconds in stage_summary(loads).items():
        row: dict[str, Any] = {"stage": name, "seconds": seconds, "share": f"{seconds / whole:.0%}"}
        rows.append(row | ({"x floor": round(seconds / floor, 2)} if floor else {}))
    return rows


def _feeds(loads: list[Loaded]) -> list[dict[str, Any]]:
    rows = []
    for number, feed in enumerate(loads[0].report["feeds"]):
        seconds = summary([load.report["feeds"][number]["seconds"] for load in loads])["median"]
        rows.append({"feed": feed["feed"], "rows": feed["read"], "seconds": seconds})
    return sorted(rows, key=lambda row: -row["seconds"])


def _longest(runs: list[dict[str, float]], shown: int = 8) -> list[dict[str, Any]]:
    medians = {name: summary([run.get(name, 0.0) for run in runs])["median"] for name in runs[0]}
    rows = [{"node": name, "seconds": seconds} for name, seconds in sorted(medians.items(), key=lambda i: -i[1])]
    return rows[:shown]
