"""Hundreds of nights without hundreds of loads, for measuring the night after them.

Two real loads come first. The batches of the nights after them are landed by the project's own `land_feed`, night by
night, without gate and without a build. What a load leaves besides - its ledger file, its run in Dagster's store - is
copied from the second real load under the ids of the night. The next real load then builds what has landed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from benchmarks.data import SOURCE, link_files, write_demographics
from benchmarks.home import Home, Loaded
from benchmarks.measure import PROJECT, BenchmarkError

# Lines come every day, promotions every Monday, and each night the band of one household changes.
DAILY, WEEKLY, CHANGING = "transactions", "promotions", "demographics"


@dataclass(frozen=True)
class Nights:
    """The nights landed on top of two real loads.

    Attributes:
        seed: the home with the two real loads.
        template: the second of them, whose ledger and run stand for those of the landed nights.
        landed: folder with one landing a feed.
        loads: load id and date of the landed nights.
    """

    seed: Home
    template: Loaded
    landed: Path
    loads: list[tuple[str, date]]

    def after(self, count: int, home: Home) -> None:
        """Make `home` the seed with the first `count` landed nights, waiting to be built."""
        shutil.copytree(self.seed.path, home.path, symlinks=True)
        chosen = self.loads[:count]
        for feed in (DAILY, WEEKLY, CHANGING):
            target = home.path / "landing" / SOURCE / feed
            for load_id, _ in chosen:
                batch = self.landed / feed / SOURCE / feed / f"load={load_id}"
                if batch.exists():
                    shutil.copytree(batch, target / batch.name)
        runs = [str(uuid.uuid4()) for _ in chosen]
        self._copy_ledger(home.path / "ledger", runs)
        days = [day.isoformat() for _, day in chosen]
        copy_runs(home.path / "dagster" / "history", self.template.report["run_id"], self._day, runs, days)

    @property
    def _day(self) -> str:
        return str(self.template.report["load_date"])

    def _copy_ledger(self, folder: Path, runs: Sequence[str]) -> None:
        template = self.template.report["load_id"]
        text = (folder / f"{template}.jsonl").read_text(encoding="utf-8")
        for (load_id, day), run_id in zip(self.loads, runs, strict=False):
            copied = text.replace(template, load_id).replace(self._day, day.isoformat())
            copied = copied.replace(self.template.report["run_id"], run_id)
            (folder / f"{load_id}.jsonl").write_text(copied, encoding="utf-8")


def land_nights(real: Path, seed: Home, first: date, count: int) -> Nights:
    """Load two nights into the seed, then land `count` more beside it, the feeds side by side.

    Args:
        real: the Complete Journey files, for the list of households.
        seed: an empty home; its data folder's demographics are rewritten each night.
    """
    for night in (0, 1):
        write_demographics(real, seed.data, night)
        template = seed.load(first + timedelta(days=night))
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    loads = [(f"{stamp}{n:06d}Z-0000", first + timedelta(days=2 + n)) for n in range(count)]
    landed = seed.path.with_name(f"{seed.path.name}-landed")
    # spawned, not forked: DuckDB's threads in this process would not be there in a fork
    with ProcessPoolExecutor(min(3, os.cpu_count() or 1), get_context("spawn")) as pool:
        waiting = [
            pool.submit(_land_feed_by_night, feed, real, seed, landed / feed, loads)
            for feed in (DAILY, CHANGING, WEEKLY)
        ]
        for future in waiting:
            future.result()
    return Nights(seed, template, landed, loads)


def _land_feed_by_night(feed: str, real: Path, seed: Home, landing: Path, loads: Sequence[tuple[str, date]]) -> None:
    """Land one feed's nights into a landing of its own that begins with the seed's batches."""
    from dagster_project.landing.batch import Outcome, land_feed
    from dagster_project.landing.extraction import Night
    from dagster_project.landing.manifest import Landing
    from dagster_project.landing.quarantine import Quarantine
    from dagster_project.landing.source import read_sources
    from dagster_project.quality.results import GateResult

    data = link_files(seed.data, landing.with_name(f"{feed}-data"), lambda name: not name.startswith(CHANGING))
    write_demographics(real, data, 1)
    os.environ["COMPLETE_JOURNEY_DIR"] = str(data)
    source = read_sources(seed.sources or PROJECT / "sources", [SOURCE])[SOURCE]
    shutil.copytree(seed.path / "landing" / SOURCE / feed, landing / SOURCE / feed)
    for number, (load_id, day) in enumerate(loads):
        if feed == WEEKLY and day.weekday() != 0:
            continue
        if feed == CHANGING:
            write_demographics(real, data, 2 + number)
        known = Landing(landing)
        night = Night(load_id, day, known, Quarantine(landing.with_name(f"{feed}-quarantine"), known), "1GB", 1)
        result = land_feed(night, source, source.feeds[feed], lambda batch, violations: GateResult((), 0, 0.0))
        if result.outcome is Outcome.FAILED:
            raise BenchmarkError(f"{feed} of {day}: {result.outcome}: {result.message}")


def copy_runs(history: Path, run_id: str, day: str, runs: Sequence[str], days: Sequence[str]) -> None:
    """Copy one run in Dagster's SQLite store: its record, tags, events and check results, under other ids and dates.

    A run's own event file is linked: no later run reads or writes it, it is there to be one of many.
    """
    own = history / "runs" / f"{run_id}.db"
    for run in runs:
        os.link(own, own.with_name(f"{run}.db"))
    for file, tables in (
        (history / "runs.db", ("runs", "run_tags")),
        (history / "runs" / "index.db", ("event_logs", "asset_check_executions")),
    ):
        with closing(sqlite3.connect(file)) as store, store:
            # 1,500 runs are 1.2 GB with scattered indexes: slow without a cache that holds most of them
            store.execute("pragma cache_size = -1000000")
            store.execute("pragma synchronous = off")
            for table in tables:
                _copy_rows(store, table, run_id, day, runs, days)


def _copy_rows(
    store: sqlite3.Connection, table: str, run_id: str, day: str, runs: Sequence[str], days: Sequence[str]
) -> None:
    columns = [row[1] for row in store.execute(f"pragma table_info({table})") if row[1] != "id"]
    kinds = {row[1]: row[2].upper() for row in store.execute(f"pragma table_info({table})")}
    values = ", ".join(
        f'replace(replace("{name}", :run, :new_run), :day, :new_day)'
        if kinds[name].startswith(("TEXT", "VARCHAR"))
        else f'"{name}"'
        for name in columns
    )
    listed = ", ".join(f'"{name}"' for name in columns)
    query = f"insert into {table} ({listed}) select {values} from {table} where run_id = :run"
    for new_run, new_day in zip(runs, days, strict=True):
        store.execute(query, {"run": run_id, "new_run": new_run, "day": day, "new_day": new_day})
