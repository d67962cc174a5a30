"""Landing one more night of an upsert feed and of arriving files, after 30, 365 and 1,500 nights; and compacted."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml

from benchmarks.context import Bound, Context, Part
from benchmarks.measure import BenchmarkError, exponent, summary, tell
from dagster_project.landing import compaction, sql
from dagster_project.landing.batch import Outcome, land_feed
from dagster_project.landing.extraction import Night
from dagster_project.landing.manifest import Landing
from dagster_project.landing.quarantine import Quarantine
from dagster_project.landing.source import Source, read_source

FIRST_NIGHT = date(2017, 1, 1)
NEW_ROWS, CHANGED_ROWS = 2_000, 500
# Nights measured around each number of nights: their median is the figure.
MEASURED = 9
GROWTH_BOUND = 0.25
COLUMNS = {"id": "BIGINT", "day": "DATE", "amount": "DECIMAL(9,2)", "note": "VARCHAR", "changed_at": "TIMESTAMP"}
UPSERT = {"extract": "upsert", "key": ["id"], "cursor": "day", "updated_at": "changed_at", "path": "changes.parquet"}
FEEDS: dict[str, dict[str, Any]] = {
    "recent": UPSERT,
    "anywhere": UPSERT,
    "arriving": {
        "extract": "append",
        "cursor": "day",
        "path": "lines_*.parquet",
        "files": {"date": r"(\d{4}-\d\d-\d\d)"},
    },
}
TITLES = {
    "recent": "upsert, changes of the last 30 nights",
    "anywhere": "upsert, changes of any night",
    "arriving": "arriving files, all kept in the folder",
}


@dataclass(frozen=True)
class Passed:
    """What a gate says that lets everything through: the suites are measured elsewhere."""

    critical: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Landed:
    """One night: CPU seconds of reading the manifests of what has landed, and of landing the feed."""

    catalogue: float
    landing: float


def run(context: Context) -> Part:
    part = Part("Landing of upserts and of arriving files after many nights")
    rows: list[dict[str, Any]] = []
    shares, compacted = [], []
    for name in FEEDS:
        folder = context.work / f"modes-{name}"
        last = max(context.nights)
        nights = _grow(folder, name, range(last))
        measured = {f"{count:,}": nights[count - MEASURED : count] for count in context.nights}
        medians = [summary([night.landing for night in some])["median"] for some in measured.values()]
        compacted.append({"feed": TITLES[name]} | _compact(folder, last))
        measured[f"{last:,}, compacted"] = _grow(folder, name, range(last, last + MEASURED))
        rows += [
            {
                "feed": TITLES[name],
                "nights": count,
                "landing CPU s": summary([night.landing for night in some])["median"],
                "min-max": f"{min(n.landing for n in some):.3f}-{max(n.landing for n in some):.3f}",
                "manifests CPU s": summary([night.catalogue for night in some])["median"],
            }
            for count, some in measured.items()
        ]
        growth = exponent(context.nights, medians)
        if growth is not None:
            shares.append({"feed": TITLES[name], "exponent of landing": growth})
            if name != "anywhere":
                part.bounds.append(Bound(f"growth exponent of landing, {TITLES[name]}", growth, GROWTH_BOUND))
        shutil.rmtree(folder)
    part.table(f"A night (CPU seconds, median of {MEASURED})", rows)
    part.table("Growth", shares)
    part.table("Compaction of all closed months", compacted)
    part.remarks += [
        f"Every night brings {NEW_ROWS:,} new rows; to an upsert feed also {CHANGED_ROWS:,} new versions of older ones."
        " All nights were landed one by one, in one process and without a gate.",
        "Batches whose range of keys can't hold a changed key are not opened. Changes of any night defeat that: then"
        " the key columns of all batches are read, which compaction makes fewer.",
    ]
    return part


def _grow(folder: Path, name: str, nights: range) -> list[Landed]:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    source = _source(folder, data, name)
    landed = []
    for night in nights:
        _deliver(data, name, night)
        landed.append(_land(folder, source, name, night))
        if (night + 1) % 250 == 0:
            tell(f"modes: {name}: {night + 1:,} nights, {landed[-1].landing:.2f} s the last")
    return landed


def _compact(folder: Path, nights: int) -> dict[str, Any]:
    """Compact all months that are over; what that took, and what it left."""
    landing = Landing(folder / "landing")
    month = (FIRST_NIGHT + timedelta(days=nights - 1)).replace(day=1)
    started = time.process_time()
    due = compaction.due(landing, landing.loads(), month)
    before = sum(closed.bytes for closed in due)
    after = sum(compaction.compact(closed, "1GB", 2) for closed in due)
    return {
        "batches": sum(len(closed.batches) for closed in due),
        "files": len(due),
        "MB before": round(before / 1e6, 1),
        "MB after": round(after / 1e6, 1),
        "CPU s": round(time.process_time() - started, 1),
    }


def _source(folder: Path, data: Path, name: str) -> Source:
    feed = {"class": "transactional", "canonical": "order_lines", "control_totals": {"amount": "amount"}}
    said = {"name": "bench", "kind": "files", "root": str(data), "timezone": "Europe/London"}
    file = folder / "bench" / "source.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(said | {"feeds": {name: feed | {"columns": COLUMNS} | FEEDS[name]}}), "utf-8")
    return read_source(file)


def _deliver(data: Path, name: str, night: int) -> None:
    """The night's file: new rows, and for an upsert feed new versions of rows of earlier nights."""
    day = FIRST_NIGHT + timedelta(days=night)
    first, since = night * NEW_ROWS, max(0, night - 30) * NEW_ROWS if name == "recent" else 0
    versions = f"timestamp '{day} 12:00:00'"
    rows = f"select {first} + i as id, date '{day}' as day, {versions} as changed_at from range({NEW_ROWS}) t(i)"
    if name != "arriving" and night:
        ids = f"select distinct {since} + hash(i, {night}) % {first - since} as id from range({CHANGED_ROWS}) t(i)"
        rows += (
            f" union all select id, date '{FIRST_NIGHT}' + cast(id // {NEW_ROWS} as integer), {versions} from ({ids})"
        )
    target = data / (f"lines_{day}.parquet" if name == "arriving" else "changes.parquet")
    with duckdb.connect(config=sql.CONFIG) as con:
        con.execute(
            f"copy (select cast(id as bigint) as id, day, cast(id % 100 + {night} % 7 as decimal(9, 2)) as amount,"
            f" 'note ' || id % 1000 as note, changed_at from ({rows})) to {sql.literal(target)} (format parquet)"
        )


def _land(folder: Path, source: Source, name: str, night: int) -> Landed:
    started = time.process_time()
    landing = Landing(folder / "landing")
    landing.batches(f"bench.{name}")
    known = time.process_time()
    whole = Night(
        load_id=f"{night:06}",
        load_date=FIRST_NIGHT + timedelta(days=night),
        landing=landing,
        quarantine=Quarantine(folder / "quarantine", landing),
        memory_limit="1GB",
        threads=2,
    )
    result = land_feed(whole, source, source.feeds[name], lambda batch, violations: Passed())
    if result.outcome is not Outcome.LANDED:
        raise BenchmarkError(f"night {night} of {name} did not land: {result.told}")
    return Landed(known - started, time.process_time() - known)
