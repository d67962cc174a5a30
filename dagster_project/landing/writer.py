"""Committing a batch: accepted rows, quarantined rows, rejected lines, and the manifest that makes it one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_project.errors import FeedError
from dagster_project.landing import sql, upsert
from dagster_project.landing.manifest import (
    MANIFEST,
    PART,
    PII,
    Counts,
    Manifest,
    QuarantinedRows,
    SourceFile,
    SourceTable,
    on_disk,
    write_durably,
)
from dagster_project.landing.quarantine import REJECTS, ROWS, Held, Status
from dagster_project.landing.totals import control_totals

if TYPE_CHECKING:
    from dagster_project.landing.extraction import Extraction


def write_batch(
    run: Extraction, new: Path, violations: Path, files: Sequence[SourceFile], tables: Sequence[SourceTable]
) -> Manifest | None:
    """Split the gated rows, write them, and commit; None when there is nothing to keep.

    Raises:
        FeedError: the counts do not add up (nothing is committed).
    """
    held = run.night.quarantine.held(run.feed.id)
    part = _without_violations(run, new, violations)
    if run.is_upsert:
        part = upsert.write_versions(run, part)
    ops = dict(run.con.execute(f"select _op, count(*) from {sql.parquet([part])} group by 1").fetchall())
    quarantined = _quarantined_rows(run, new)
    replayed, gone = _replayed(run, held)
    run.counts = _count(run, ops, quarantined, len(replayed))
    superseded = _superseded(run, held, part) + gone
    arrived = run.feed.files is not None and bool(files)
    if not (ops or quarantined or run.rejected or replayed or superseded or run.recounted or arrived):
        return None
    manifest = _manifest(run, part, files, tables, ops, replayed, superseded)
    folder = run.night.landing.folder(manifest)
    aside = run.night.quarantine.folder(run.feed.id) / folder.name
    if quarantined or run.rejected:
        aside.mkdir(parents=True)
    if quarantined:
        _write(run, "select * from held", aside / ROWS, private=bool(run.feed.pii))
    if run.rejected:
        load = sql.literal(run.night.load_id)
        _write(run, f"select {load} as _load_id, * from rejects", aside / REJECTS, private=bool(run.feed.pii))
    folder.mkdir(parents=True)
    if ops:
        _place(run, part, folder)
    for path in (folder / PART, folder / PII, aside / ROWS, aside / REJECTS):
        on_disk(path)
    write_durably(folder / MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def _place(run: Extraction, part: Path, folder: Path) -> None:
    """The accepted rows into the batch's folder, personal columns in a file of their own."""
    if not run.pii:
        part.rename(folder / PART)
        return
    rows = sql.parquet([part])
    technical = "_load_id, _row, _op, _business_date, _effective_from"
    technical += ", _updated_at, _superseded" if run.is_upsert else ""
    _write(run, f"select {sql.names(run.stored)}, {technical} from {rows}", folder / PART, private=False)
    given = " or ".join(f"{sql.quote(name)} is not null" for name in run.pii)
    personal = f"select _load_id, _row, {sql.names(run.pii)} from {rows} where _op <> 'delete' and ({given})"
    _write(run, personal, folder / PII, private=True)


def _write(run: Extraction, query: str, target: Path, *, private: bool) -> None:
    """Write Parquet; a private file is for its owner only before it gets where others may look."""
    beside = run.work / f"written_{target.name}"
    run.con.execute(f"copy ({query}) to {sql.literal(beside)} (format parquet, compression zstd)")
    if private:
        beside.chmod(0o600)
    beside.rename(target)


def _without_violations(run: Extraction, new: Path, violations: Path) -> Path:
    """The rows the gate lets through. Rows replayed by force pass whatever quarantine rule they break."""
    if violations.exists():
        run.con.execute(f"create temp table violated as select * from {sql.parquet([violations])}")
        if replay := run.night.quarantine.to_replay(run.feed.id, run.columns):
            run.con.execute(
                f"delete from violated where _row in (select n._row from {sql.parquet([new])} n"
                f" join {replay} q on q._forced and {sql.same(run.columns, 'n', 'q')})"
            )
    else:
        run.con.execute("create temp table violated (_row bigint, rule varchar, reason varchar)")
    if not sql.scalar(run.con, "select count(*) from violated"):
        return new
    part = run.work / PART
    run.con.execute(
        f"copy (select * from {sql.parquet([new])} where _row not in (select _row from violated)"
        f" order by _business_date, _row) to {sql.literal(part)} (format parquet, compression zstd)"
    )
    return part


def _quarantined_rows(run: Extraction, new: Path) -> int:
    """All rows to set aside, whoever found them, into the table `held`; returns how many."""
    columns = sql.names([*run.columns, *run.apart], "r")
    load = sql.literal(run.night.load_id)
    run.con.execute(
        f"create temp table held as"
        f" select {columns}, {load} as _load_id, r._row, r._business_date, e.rule as _rule, e.reason as _reason"
        " from candidate r join excluded e using (_row) where e.outcome = 'quarantined'"
        " union all"
        f" select {columns}, {load}, r._row, r._business_date, v.rule, v.reason from {sql.parquet([new])} r"
        " join (select _row, string_agg(rule, '; ' order by rule) as rule,"
        " string_agg(reason, '; ' order by rule) as reason from violated group by _row) v using (_row)"
    )
    return sql.scalar(run.con, "select count(*) from held")


def _count(run: Extraction, ops: dict[str, int], quarantined: int, replayed: int) -> Counts:
    deletes = ops.get("delete", 0)
    # a deletion is found by the absence of a row in a snapshot; in an upsert feed it is a row
    tombstones, deleted = (deletes, 0) if run.is_upsert else (0, deletes)
    accepted = sum(ops.values()) - deleted
    known = sql.scalar(run.con, "select count(*) from excluded where outcome = 'already_landed'")
    known += run.rejected_before
    unchanged = run.read - accepted - quarantined - run.rejected - known if run.is_snapshot else 0
    counts = Counts(
        read=run.read,
        accepted=accepted,
        unchanged=unchanged + known if run.is_snapshot else 0,
        already_landed=0 if run.is_snapshot else known,
        quarantined=quarantined,
        rejected=run.rejected,
        deleted=deleted,
        replayed=replayed,
        tombstones=tombstones,
    )
    if not counts.balanced() or min(counts.model_dump().values()) < 0:
        raise FeedError(
            run.feed.source,
            run.feed.name,
            f"the rows read do not add up: {counts.model_dump()}",
            remedy="this is a defect of Clientele: keep the file and report it; nothing was landed",
        )
    return counts


def _replayed(run: Extraction, held: list[Held]) -> tuple[list[Held], list[Held]]:
    """The rows replayed now, and those of a snapshot that its source has no longer: nothing is left to replay."""
    asked = [row for row in held if row.status is Status.REPLAY]
    if not asked or not run.is_snapshot:
        return asked, []
    found = run.con.execute(
        f"select distinct q._load_id, q._row from {run.night.quarantine.to_replay(run.feed.id, run.columns)} q"
        f" join candidate c on {sql.same(run.columns, 'c', 'q')}"
    ).fetchall()
    return [row for row in asked if (row.load_id, row.row) in found], [
        row for row in asked if (row.load_id, row.row) not in found
    ]


def _superseded(run: Extraction, held: list[Held], part: Path) -> list[Held]:
    """Open quarantined rows whose key was accepted now: the corrected row takes their place."""
    by_id = {(row.load_id, row.row): row for row in held if row.status is Status.OPEN}
    if not by_id or not run.feed.key:
        return []
    accepted = "p._op <> 'delete'"
    relation = "{0}"
    if run.versions:
        accepted = "p._updated_at >= q._held_at"
        relation = f"(select *, {run.versions.moment} as _held_at from {{0}})"
    rows = {
        row
        for seen in run.night.quarantine.seen(run.feed.id, run.columns, requested=False)
        for row in run.con.execute(
            f"select q._load_id, q._row from {relation.format(seen.relation)} q join {sql.parquet([part])} p"
            f" on {accepted} and {seen.same(run.columns, 'p', 'q', run.feed.key)}"
        ).fetchall()
    }
    return [by_id[row] for row in sorted(rows & by_id.keys())]


def _grouped(rows: list[Held]) -> tuple[QuarantinedRows, ...]:
    by_load: dict[str, list[int]] = {}
    for row in rows:
        by_load.setdefault(row.load_id, []).append(row.row)
    return tuple(QuarantinedRows(load_id=load, rows=tuple(sorted(n))) for load, n in sorted(by_load.items()))


def _manifest(
    run: Extraction,
    part: Path,
    files: Sequence[SourceFile],
    tables: Sequence[SourceTable],
    ops: dict[str, int],
    replayed: list[Held],
    superseded: list[Held],
) -> Manifest:
    batch = sql.parquet([part])
    touched = "changes" if run.is_upsert else batch
    low, high = run.con.execute(f"select min(_business_date), max(_business_date) from {touched}").fetchall()[0]
    keys, watermark = None, None if run.is_snapshot else run.window.high
    if run.is_snapshot:
        returned_or_new = sql.scalar(run.con, f"select count(*) from {batch} where _op = 'insert'")
        keys = run.keys_before + returned_or_new - ops.get("delete", 0)
    if run.is_upsert:
        state = upsert.state_after(run, batch)
        keys, watermark = state.keys, state.watermark
    return Manifest(
        load_id=run.night.load_id,
        load_date=run.night.load_date,
        source=run.feed.source,
        feed=run.feed.name,
        canonical=run.feed.canonical,
        mode=run.feed.extract.value,
        schema_version=run.schema.version,
        columns=run.stored,
        pii=run.pii,
        files=tuple(files),
        tables=tuple(tables),
        watermark_from=run.window.low,
        watermark_to=watermark,
        business_min=low,
        business_max=high,
        counts=run.counts,
        current_keys=keys,
        key_range=state.key_range if run.is_upsert else None,
        months=state.months if run.is_upsert else control_totals(run.con, run.feed, run.columns, batch),
        replayed=_grouped(replayed),
        superseded=_grouped(superseded),
    )
