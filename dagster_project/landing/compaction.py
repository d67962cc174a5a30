"""Compaction: the batches of a feed that landed in one month become one file, each row with the load it came with.

The new folder is written beside and proven against the batches it replaces; renaming it into place commits it, and from
then on their own folders count no more. A compaction that was killed is finished by the next writer, which removes
them. What became of each batch's rows (its manifest) is kept as it was, and so are the rows' `_load_id` and `_row`.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.errors import FeedError
from dagster_project.landing import sql
from dagster_project.landing.manifest import (
    COMPACTED,
    MANIFEST,
    PART,
    PII,
    Compaction,
    Landing,
    Manifest,
    on_disk,
    sync_folder,
    write_durably,
)


@dataclass(frozen=True)
class Month:
    """Batches of one feed and shape whose loads are of one month."""

    landing: Landing
    batches: tuple[Manifest, ...]

    @property
    def feed(self) -> Manifest:
        return self.batches[0]

    @property
    def first_day(self) -> date:
        return self.feed.load_date.replace(day=1)

    @property
    def rows(self) -> int:
        return sum(batch.counts.accepted + batch.counts.deleted for batch in self.batches)

    @property
    def bytes(self) -> int:
        folders = {self.landing.folder(batch) for batch in self.batches}
        return sum(file.stat().st_size for folder in folders for file in folder.iterdir())


def due(landing: Landing, loads: Collection[str], before: date, feed_id: str | None = None) -> list[Month]:
    """What can be compacted, by feed and month.

    Args:
        loads: the loads whose batches may be put together: those that no rollback can take out any more.
        before: only loads of dates before this one, so that a month is compacted once, when it is over.
        feed_id: only this feed.
    """
    groups: dict[str, list[Manifest]] = {}
    for batch in landing:
        chosen = feed_id in (None, batch.feed_id) and batch.load_id in loads and batch.load_date < before
        if chosen and not landing.is_compacted(batch):
            shape = [batch.feed_id, f"{batch.load_date:%Y-%m}", batch.mode, batch.columns, batch.pii]
            groups.setdefault(str(shape), []).append(batch)
    return [Month(landing, tuple(batches)) for _, batches in sorted(groups.items()) if len(batches) > 1]


def compact(month: Month, memory_limit: str, threads: int) -> int:
    """Put a month's batches into one folder; returns the bytes it takes. Called under the writer's lock only.

    Raises:
        FeedError: the file written does not hold what the batches hold, or can't be written; the batches stay.
    """
    landing, first = month.landing, month.feed
    home = landing.root / first.source / first.feed
    target = home / f"{COMPACTED}{first.load_id}"
    work = home / f".compact-{first.load_id}"
    try:
        work.mkdir(mode=0o700)
        with sql.scratch(work / "spill", memory_limit, threads) as con:
            _write(con, landing.parts(month.batches), work / PART)
            _write(con, landing.pii_parts(month.batches), work / PII)
            _prove_counts(con, month, work / PART)
        shutil.rmtree(work / "spill", ignore_errors=True)
        write_durably(work / MANIFEST, Compaction(batches=month.batches).model_dump_json(indent=1))
        work.chmod(home.stat().st_mode & 0o777)
        work.rename(target)
        sync_folder(home)
    except (duckdb.Error, OSError) as error:
        raise FeedError(
            first.source,
            first.feed,
            f"{month.first_day:%Y-%m} could not be compacted: {error}",
            remedy="nothing was changed; free space or correct the rights under CLIENTELE_HOME, then compact again",
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for batch in month.batches:
        shutil.rmtree(home / f"load={batch.load_id}")
    return sum(file.stat().st_size for file in target.iterdir())


def _write(con: duckdb.DuckDBPyConnection, parts: list[Path], target: Path) -> None:
    """All rows of the files into one, sorted by business date as a batch is, and read again to prove it."""
    if not parts:
        return
    rows = sql.parquet(parts)
    by_date = "_business_date nulls last, " if target.name == PART else ""
    con.execute(
        f"copy (select * from {rows} order by {by_date}_load_id, _row) to {sql.literal(target)}"
        " (format parquet, compression zstd)"
    )
    if target.name == PII:
        target.chmod(0o600)
    on_disk(target)
    before, after = _fingerprint(con, parts), _fingerprint(con, [target])
    if before != after:
        raise OSError(f"{target.name} does not hold the rows that were to go into it")


def _fingerprint(con: duckdb.DuckDBPyConnection, parts: Iterable[Path]) -> list[tuple[str, int, int]]:
    """Per load its rows and the sum of their hashes, over all columns."""
    return con.execute(
        f"select _load_id, count(*), sum(cast(hash(r) as hugeint)) from {sql.parquet(parts)} r"
        " group by _load_id order by _load_id"
    ).fetchall()


def _prove_counts(con: duckdb.DuckDBPyConnection, month: Month, part: Path) -> None:
    """The rows per load are those that the manifests name."""
    named = {b.load_id: b.counts.accepted + b.counts.deleted for b in month.batches}
    found = {load: rows for load, rows, _ in _fingerprint(con, [part])} if part.exists() else {}
    for load, rows in named.items():
        if found.pop(load, 0) != rows:
            raise OSError(f"load {load} has other rows than its manifest names ({rows:,})")
    if found:
        raise OSError(f"rows of unknown loads: {', '.join(found)}")
