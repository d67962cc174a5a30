"""One more night after 30, 365 and 1,500 nights."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.chain import land_nights
from benchmarks.context import Context, Part
from benchmarks.data import Copy, link_files, write_copies, write_demographics, write_source
from benchmarks.growth import cpu_growth, growth_bounds, night_rows, stage_rows
from benchmarks.home import Home, Loaded
from benchmarks.measure import tell

FIRST_NIGHT = date(2017, 1, 1)
# Two real loads before the landed nights, and the one that builds them.
REAL_LOADS = 3


def run(context: Context) -> Part:
    part = Part("One more night after many nights")
    years = 1 + (max(context.nights) + context.repeat) // 364
    tell(f"nights: writing {years} years of source")
    data = write_copies(context.data, context.work / "nights-data", [Copy(year, year, 0) for year in range(years)])
    sources = write_source(context.work / "nights-sources")
    seed = Home(context.work / "nights-seed", _own_data(context, data, "seed"), sources)
    landed = land_nights(context.data, seed, FIRST_NIGHT, max(context.nights) - REAL_LOADS)
    tell(f"nights: {len(landed.loads):,} nights landed")
    homes: dict[int, Home] = {}
    before: list[dict[str, Any]] = []
    for nights in context.nights:
        homes[nights] = Home(context.work / f"nights-{nights}", _own_data(context, data, str(nights)), sources)
        landed.after(nights - REAL_LOADS, homes[nights])
        built = _night(context, homes[nights], nights - 1)  # builds all nights before it
        before.append(_before(nights, homes[nights], built))
        tell(f"nights: {nights:,} nights built in {built.process.wall:.0f} s")
    loads: dict[int, list[Loaded]] = {nights: [] for nights in homes}
    for turn in range(context.repeat):
        for nights, home in homes.items():
            loads[nights].append(_night(context, home, nights + turn))
            tell(f"nights: night {nights + turn + 1:,}: {loads[nights][-1].process.wall:.1f} s")
    part.bounds += growth_bounds("nights", loads)
    part.remarks += cpu_growth(loads)
    part.remarks += [
        "The nights before were landed one by one by the project's own landing and built by one load that caught them"
        " up; their ledger files and Dagster runs are copies of a real night's.",
        "Every night brings a real day of about 4,000 lines and one household whose band changed, every Monday the"
        " week's promotions (a fiftieth); so the history grows with the nights, too.",
    ]
    part.table("Before the night", before)
    part.table("The night (seconds, medians)", night_rows("nights", loads))
    part.table("The night by stage (seconds, medians)", stage_rows("nights", loads))
    for path in (seed.path, landed.landed, data, *(home.path for home in homes.values())):
        shutil.rmtree(path)
    return part


def _own_data(context: Context, shared: Path, name: str) -> Path:
    """The shared source files with a list of households of its own, which changes by the night."""
    folder = link_files(shared, context.work / f"nights-data-{name}", lambda file: not file.startswith("demographics"))
    write_demographics(context.data, folder, 0)
    return folder


def _night(context: Context, home: Home, number: int) -> Loaded:
    """The load of a night, counted from 0."""
    write_demographics(context.data, home.data, number)
    return home.load(FIRST_NIGHT + timedelta(days=number))


def _before(nights: int, home: Home, load: Loaded) -> dict[str, Any]:
    landing = home.path / "landing"
    return {
        "nights": f"{nights:,}",
        "batches landed": len(list(landing.glob("*/*/load=*/manifest.json"))),
        "ledger files": len(list((home.path / "ledger").glob("*.jsonl"))),
        "Dagster runs": len(list((home.path / "dagster" / "history" / "runs").glob("*-*.db"))),
        "sales lines": load.report["tables"]["star.fct_sales_line"],
        "versions of households": load.report["tables"]["star.dim_customer"],
        "file MB": round(load.report["file_bytes"] / 1e6),
    }
