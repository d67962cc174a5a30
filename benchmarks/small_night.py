"""A night with one new row a feed against a bare `dbt build` of the same project, file and variables."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.context import Bound, Context, Part
from benchmarks.data import link_files, write_one_row_a_feed, write_source
from benchmarks.home import Home, Loaded, stage_summary
from benchmarks.measure import BenchmarkError, Measured, process_rows, ratio, run_measured, summary, tell

LAST_DAY = date(2017, 12, 31)
# A night a week: promotions come by the week, and each night has to bring a new one.
RHYTHM = timedelta(days=7)


def run(context: Context) -> Part:
    part = Part("A night with one new row a feed against a bare dbt build")
    data = link_files(context.data, context.work / "small-data")
    home = Home(context.work / "small", data, write_source(context.work / "small-sources"))
    started = home.load(LAST_DAY)
    tell(f"small night: the year loaded in {started.process.wall:.0f} s")
    nights: list[Loaded] = []
    builds: list[Measured] = []
    for turn in range(context.repeat):
        day = LAST_DAY + timedelta(days=1) + turn * RHYTHM
        write_one_row_a_feed(context.data, data, turn, day)
        before = home.warehouse
        nights.append(home.load(day))
        _one_row_each(nights[-1])
        builds.append(_bare_build(context.work / "bare", home, before, nights[-1]))
        tell(f"small night {turn + 1}: {nights[-1].process.wall:.1f} s, bare dbt build {builds[-1].wall:.1f} s")
    found = ratio([night.process for night in nights], builds)
    part.bounds.append(Bound("wall time against a bare dbt build", found["median"], 2.5, 1.5, "x"))
    part.remarks += [
        f"The ratio of the runs side by side was {found['min']} to {found['max']}.",
        "The bare build is `dbt build` in a process of its own on a copy of the release the night grew from, with the"
        " night's variables and models and the last build's target folder; making that copy is not counted. It lands,"
        " checks, reconciles and publishes nothing.",
    ]
    part.table("Processes", process_rows({"clientele load": [n.process for n in nights], "dbt build": builds}))
    part.table("Where the time of the night goes (medians, seconds)", _where(nights, builds))
    shutil.rmtree(home.path)
    return part


def _one_row_each(night: Loaded) -> None:
    for feed in night.report["feeds"]:
        if feed["accepted"] != 1:
            raise BenchmarkError(f"{feed['feed']} brought {feed['accepted']} rows, not one: {feed['message']}")


def _bare_build(folder: Path, home: Home, before: Path, night: Loaded) -> Measured:
    """`dbt build` of what the night built, on a copy of the release before it.

    Raises:
        BenchmarkError: the tables came out with other numbers of rows than the night's.
    """
    from dagster_project.settings import Settings
    from dagster_project.warehouse import dbt
    from dagster_project.warehouse.ledger import Ledger

    settings = Settings()
    folder.mkdir(exist_ok=True)
    file = folder / before.name
    shutil.copyfile(before, file)
    with duckdb.connect(str(file)) as con:
        Ledger(home.path / "ledger").copy_into(con)
    project = str(settings.dbt_dir)
    arguments = _arguments(home.warehouse.parent)
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "--log-level", "none", "--log-level-file", "info"]
    command += [
        "build",
        "--exclude-resource-type",
        "unit_test",
        "--vars",
        json.dumps(arguments["vars"]),
        "--exclude",
        *arguments["exclude"],
    ]
    command += ["--project-dir", project, "--profiles-dir", project]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    measured = run_measured(command, dbt.environment(settings, file))
    _same_tables(file, night.report["tables"])
    file.unlink()
    return measured


def _arguments(release: Path) -> dict[str, Any]:
    """The arguments of a release's build, as dbt noted them in its results."""
    results = json.loads((release / "target" / "run_results.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = results["args"]
    return found


def _same_tables(file: Path, tables: Mapping[str, int]) -> None:
    with duckdb.connect(str(file), read_only=True) as con:
        for name, rows in tables.items():
            if not name.startswith("ops."):
                built = con.execute(f"select count(*) from {name}").fetchall()[0][0]
                if built != rows:
                    raise BenchmarkError(f"{name}: the bare build has {built:,} rows, the night {rows:,}")


def _where(nights: list[Loaded], builds: list[Measured]) -> list[dict[str, Any]]:
    bare = summary([build.wall for build in builds])["median"]
    stages = stage_summary(nights).items()
    return [{"stage": name, "seconds": s, "x bare dbt build": round(s / bare, 2)} for name, s in stages]
