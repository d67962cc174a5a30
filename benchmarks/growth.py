"""One more night with one day of rows on top of histories of several sizes."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from typing import Any

from benchmarks.context import Bound, Context, Part
from benchmarks.data import YEAR, Copy, write_copies, write_source
from benchmarks.home import COPY, Home, Loaded, stage_summary
from benchmarks.measure import exponent, summaries, summary, tell

# The real year is moved to these many years later; its copies lie in the years before it, so that the open month, and
# the night's rows, are the same for every size. Earlier the chain's week numbers would become negative.
YEARS = 5
# A Monday: the nights after it, up to Sunday, bring no promotions, which come by the week.
HISTORY_UP_TO = date(2017, 12, 11) + YEARS * YEAR
GROWTH_BOUND = 0.15
SIZES = (1, 10, 50)
# Per copy of the year: source files, landing, spill, two releases of the warehouse and the build.
BYTES_A_COPY = 450_000_000


def run(context: Context) -> Part:
    part = Part("One more night on histories of several sizes")
    loads: dict[int, list[Loaded]] = {}
    homes: dict[int, Home] = {}
    history: dict[int, Loaded] = {}
    sources = write_source(context.work / "growth-sources")
    for size in context.sizes or SIZES:
        free = shutil.disk_usage(context.work).free
        if free < size * BYTES_A_COPY:
            part.remarks.append(
                f"{size}x was left out: it needs {size * BYTES_A_COPY / 1e9:.0f} GB of disk, {free / 1e9:.0f} are free."
            )
            continue
        tell(f"growth: writing {size}x history")
        data = write_copies(context.data, context.work / f"growth-data-{size}", copies(size))
        homes[size] = Home(context.work / f"growth-{size}", data, sources, keep=1)
        history[size] = homes[size].load(HISTORY_UP_TO)
        loads[size] = []
        tell(f"growth: {size}x history loaded in {history[size].process.wall:.0f} s")
    for turn in range(1, context.repeat + 1):
        for size, home in homes.items():
            loads[size].append(home.load(HISTORY_UP_TO + timedelta(days=turn)))
            tell(f"growth: night {turn} on {size}x: {loads[size][-1].process.wall:.1f} s")
    part.bounds += growth_bounds("history", loads)
    part.remarks += cpu_growth(loads)
    part.remarks += [
        "Copies of the real year: transactions, demographics, and promotions by a fiftieth; households, baskets and"
        f" stores of their own, spread over the {YEARS} years before. Products, campaigns and coupons are the real"
        " lists, which a snapshot feed reads whole each night whatever the history.",
        "The night is a real day of about 4,000 lines, the same for every size.",
    ]
    part.table("The history and its one load", [_history_row(size, load) for size, load in history.items()])
    part.table("The night (seconds, medians)", night_rows("history", loads))
    part.table("The night by stage (seconds, medians)", stage_rows("history", loads))
    for home in homes.values():
        shutil.rmtree(home.path)
        shutil.rmtree(home.data)
    return part


def copies(size: int) -> list[Copy]:
    """The real year and size - 1 copies of it in the years before, evenly."""
    before = [Copy(YEARS - 1 - (n - 1) % YEARS, n, (n - 1) // YEARS) for n in range(1, size)]
    return [Copy(YEARS, 0, 0), *before]


def _history_row(size: int, load: Loaded) -> dict[str, Any]:
    tables = load.report["tables"]
    return {
        "history": f"{size}x",
        "sales lines": tables["star.fct_sales_line"],
        "promotions": tables["star.fct_promo_coverage"],
        "households": tables["star.dim_customer"],
        "file MB": round(load.report["file_bytes"] / 1e6),
        "load s": round(load.process.wall, 1),
        "peak MB": round(load.process.peak_mb),
    }


def growth_bounds(what: str, loads: dict[int, list[Loaded]]) -> list[Bound]:
    """The growth exponent of the nights' medians, the copy of the release left out; none for a single size."""
    nights = [summary([load.without_copy for load in found])["median"] for found in loads.values()]
    growth = exponent(list(loads), nights)
    return [] if growth is None else [Bound(f"growth exponent of a night over {what}", growth, GROWTH_BOUND)]


def cpu_growth(loads: dict[int, list[Loaded]]) -> list[str]:
    """The same by CPU time, which other work on the machine disturbs less; the copy is in it."""
    growth = exponent(
        list(loads), [summary([load.process.cpu for load in found])["median"] for found in loads.values()]
    )
    return [] if growth is None else [f"By CPU time of the whole process the exponent is {growth:g}."]


def night_rows(what: str, loads: dict[int, list[Loaded]]) -> list[dict[str, Any]]:
    rows = []
    for size, found in loads.items():
        process = summaries([load.process for load in found])
        without = summary([load.without_copy for load in found])
        rows.append(
            {
                what: f"{size:,}",
                "runs": len(found),
                "without copy": without["median"],
                "min-max": f"{without['min']:.1f}-{without['max']:.1f}",
                COPY: summary([load.copy for load in found])["median"],
                "wall": process["wall"]["median"],
                "CPU": process["cpu"]["median"],
                "peak MB": process["peak_mb"]["median"],
                "file MB": round(found[-1].report["file_bytes"] / 1e6),
            }
        )
    return rows


def stage_rows(what: str, loads: dict[int, list[Loaded]]) -> list[dict[str, Any]]:
    """A row a stage, a column a size, and the exponent of the stage itself."""
    medians = {size: stage_summary(found) for size, found in loads.items()}
    largest = medians[max(medians)]
    rows = []
    for stage in largest:
        seconds = [medians[size].get(stage, 0.0) for size in medians]
        measurable = all(value >= 0.05 for value in seconds)
        row: dict[str, Any] = {"stage": stage} | {
            f"{size:,}": value for size, value in zip(medians, seconds, strict=True)
        }
        rows.append(row | {"exponent": exponent(list(medians), seconds) if measurable else None})
    return rows
