"""Rows set aside: kept as they came, with rule and reason, until replayed, discarded or superseded.

`quarantine/<source>/<feed>/load=<id>/rows.parquet` holds them, `rejects.parquet` the lines that could not
be parsed. They count only when the batch of the same load was committed. What the operator asked for is
appended to `events.jsonl`; what a load did with them stands in its manifest, so both commit as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import ClienteleError
from dagster_project.landing import sql
from dagster_project.landing.manifest import Landing, Manifest, append_json_line, read_json_lines
from dagster_project.landing.shapes import Columns, Known, as_now, group_by_shape, known

ROWS = "rows.parquet"
REJECTS = "rejects.parquet"
EVENTS = "events.jsonl"
MASK = "***"


class Status(StrEnum):
    OPEN = "open"
    REPLAY = "replay requested"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Held:
    """One quarantined row: `load_id` and `row` identify it within its feed."""

    load_id: str
    row: int
    rule: str
    reason: str
    status: Status
    forced: bool = False


class Quarantine:
    """The quarantine of one home.

    Args:
        root: the quarantine folder.
        landing: the committed batches, which say which quarantined rows count.
    """

    def __init__(self, root: Path, landing: Landing) -> None:
        self.root = root
        self.landing = landing

    def folder(self, feed_id: str) -> Path:
        return self.root.joinpath(*feed_id.split("."))

    def files(self, feed_id: str, name: str) -> list[Path]:
        """The committed files of that name, oldest first."""
        folders = (self.folder(feed_id) / f"load={m.load_id}" for m in self.landing.batches(feed_id))
        return [folder / name for folder in folders if (folder / name).exists()]

    def held(self, feed_id: str) -> list[Held]:
        """Every row ever set aside for the feed, with what became of it."""
        files = self.files(feed_id, ROWS)
        if not files:
            return []
        with duckdb.connect(config=sql.CONFIG) as con:
            rows = con.execute(
                f"select _load_id, _row, _rule, _reason from read_parquet([{', '.join(map(sql.literal, files))}],"
                " union_by_name = true) order by all"
            ).fetchall()
        status = self._status(feed_id)
        return [
            Held(load, row, rule, reason, *status.get((load, row), (Status.OPEN, False)))
            for load, row, rule, reason in rows
        ]

    def _status(self, feed_id: str) -> dict[tuple[str, int], tuple[Status, bool]]:
        found: dict[tuple[str, int], tuple[Status, bool]] = {}
        for event in read_json_lines(self.folder(feed_id) / EVENTS):
            action = Status.REPLAY if event["action"] == "replay" else Status.DISCARDED
            for row in event["rows"]:  # type: ignore[attr-defined]
                found[str(event["load_id"]), row] = (action, bool(event["force"]))
        for manifest in self.landing.batches(feed_id):
            for status, groups in (
                (Status.REPLAYED, manifest.replayed),
                (Status.SUPERSEDED, manifest.superseded),
            ):
                found |= {(group.load_id, row): (status, False) for group in groups for row in group.rows}
        return found

    def request(self, feed_id: str, action: str, held: Iterable[Held], *, force: bool = False) -> int:
        """Record a replay or a discard of open rows; returns how many rows that is.

        Raises:
            ClienteleError: none of the rows is open.
        """
        by_load: dict[str, list[int]] = {}
        for row in held:
            if row.status is Status.OPEN or (action == "discard" and row.status is Status.REPLAY):
                by_load.setdefault(row.load_id, []).append(row.row)
        if not by_load:
            raise ClienteleError(
                f"{feed_id}: no such row is open in quarantine",
                remedy=f"see them with: clientele quarantine show {feed_id}",
            )
        path = self.folder(feed_id) / EVENTS
        for load_id, rows in by_load.items():
            event = {"action": action, "load_id": load_id, "rows": rows, "force": force}
            append_json_line(path, event | {"at": datetime.now(UTC).isoformat()})
        return sum(map(len, by_load.values()))

    def personal(self, feed_id: str) -> set[str]:
        """The columns of the feed that hold personal data."""
        return {name for manifest in self.landing.batches(feed_id) for name in manifest.pii}

    def show(self, feed_id: str, held: Iterable[Held], limit: int, *, unmask: bool = False) -> list[dict[str, Any]]:
        """The rows themselves, as they came from the source; personal values as `***` unless unmasked."""
        masked = set() if unmask else self.personal(feed_id)
        wanted = {(row.load_id, row.row): row for row in held}
        files = self.files(feed_id, ROWS)
        if not files or not wanted:
            return []
        with duckdb.connect(config=sql.CONFIG) as con:
            result = con.execute(
                f"select * from read_parquet([{', '.join(map(sql.literal, files))}], union_by_name = true)"
                " order by _load_id, _row"
            )
            columns = [column[0] for column in result.description or ()]
            shown = []
            for values in result.fetchall():
                record = dict(zip(columns, values, strict=True))
                record |= {name: MASK for name in masked & record.keys() if record[name] is not None}
                if row := wanted.get((record["_load_id"], record["_row"])):
                    shown.append(record | {"_status": row.status.value})
                    if len(shown) == limit:
                        break
        return shown

    def rejects(self, feed_id: str, limit: int, *, unmask: bool = False) -> list[dict[str, Any]]:
        """Lines that could not be parsed: load, file, line, column, reason, text (`***` where it may be personal)."""
        files = self.files(feed_id, REJECTS)
        if not files:
            return []
        with duckdb.connect(config=sql.CONFIG) as con:
            masked = f" replace ('{MASK}' as raw, '{MASK}' as reason)" if self.personal(feed_id) and not unmask else ""
            result = con.execute(f"select *{masked} from {sql.parquet(files)} order by all limit {limit}")
            columns = [column[0] for column in result.description or ()]
            return [dict(zip(columns, values, strict=True)) for values in result.fetchall()]

    def seen(self, feed_id: str, now: Columns, *, requested: bool) -> list[Known]:
        """The rows set aside before, to be recognised when the source delivers them again.

        Args:
            requested: with those asked to be replayed, which an append feed takes from here and not from the
                source; of a snapshot, the source's own row is looked at again.
        """
        statuses = {Status.OPEN, Status.DISCARDED, Status.SUPERSEDED} | ({Status.REPLAY} if requested else set())
        return [
            known(then, now, paths, f" where (_load_id, _row) in (select (load_id, ordinal) from {rows})")
            for then, paths, rows in self._by_shape(feed_id, statuses)
        ]

    def to_replay(self, feed_id: str, now: Columns) -> str | None:
        """SQL of the rows asked to be replayed, with `_load_id`, `_row`, `_forced`; None when there are none."""
        selects = [
            f"select {as_now(then, now)}, k._load_id, k._row, v.forced as _forced from {sql.parquet(paths)} k"
            f" join {rows} on k._load_id = v.load_id and k._row = v.ordinal"
            for then, paths, rows in self._by_shape(feed_id, {Status.REPLAY})
        ]
        return f"({' union all '.join(selects)})" if selects else None

    def _by_shape(self, feed_id: str, statuses: set[Status]) -> list[tuple[Columns, list[Path], str]]:
        """Per shape: its columns, the files, and SQL of the ids of the rows that have one of the statuses."""
        by_load: dict[str, list[Held]] = {}
        for row in self.held(feed_id):
            if row.status in statuses:
                by_load.setdefault(row.load_id, []).append(row)
        found = []
        for then, manifests in group_by_shape(m for m in self.landing.batches(feed_id) if m.load_id in by_load):
            rows = [row for manifest in manifests for row in by_load[manifest.load_id]]
            values = ", ".join(f"({sql.literal(r.load_id)}, {r.row}, {str(r.forced).lower()})" for r in rows)
            paths = [self.folder(feed_id) / f"load={m.load_id}" / ROWS for m in manifests]
            found.append((then | manifests[0].pii, paths, f"(values {values}) v(load_id, ordinal, forced)"))
        return found

    def balance(self, manifests: Iterable[Manifest] | None = None) -> dict[str, dict[str, int]]:
        """Per feed: rows by status, which add up to the rows opened."""
        feeds = sorted({m.feed_id for m in (manifests or self.landing)})
        table: dict[str, dict[str, int]] = {}
        for feed_id in feeds:
            held = self.held(feed_id)
            if held:
                table[feed_id] = {s.value: sum(row.status is s for row in held) for s in Status}
        return table
