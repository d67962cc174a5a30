"""Upsert feeds: every version of a row lands once, and the newest of a key counts.

Versions are ordered by `_updated_at`, then by landing; a version that is older than one that landed before, or than
another of its batch, lands as `_superseded`. Temp tables: `landed_versions`, what has landed of the batch's keys (key,
control totals and technical columns); `changes`, what the batch does to the feed's state, with `sign` 1 for a row that
counts from now on and -1 for one that no longer does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from dagster_project.contract.contract import read_contract
from dagster_project.landing import sql
from dagster_project.landing.identity import REMAINING, REPLAYED, repeated_keys
from dagster_project.landing.manifest import Landing, Manifest
from dagster_project.landing.shapes import Columns, as_now, group_by_shape, known
from dagster_project.landing.source import Feed
from dagster_project.landing.totals import Months, control_totals, difference
from dagster_project.landing.window import Cursor

if TYPE_CHECKING:
    from pathlib import Path

    from dagster_project.landing.extraction import Extraction

ORDINAL = ("_load_id", "_row", "_op", "_business_date", "_effective_from", "_updated_at", "_superseded")
NEWEST_FIRST = "_updated_at desc, _superseded, _load_id desc, _row desc"
WHOLE_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}


@dataclass(frozen=True)
class State:
    """What the manifest of an upsert batch says of the feed as it is now; see `Manifest`."""

    keys: int
    months: Months
    watermark: datetime
    key_range: tuple[str, str] | None


def has_events(feed: Feed) -> bool:
    """Its rows are events, each of one fact; else they are changes of the members of a list."""
    return bool(read_contract().events(feed.canonical))


def technical(feed: Feed, versions: Cursor) -> dict[str, str]:
    """SQL of the technical columns of a row as it is read."""
    changed = versions.business_date
    return {
        "_op": f"case when ({feed.deleted_when}) then 'delete' else 'upsert' end" if feed.deleted_when else "'upsert'",
        "_effective_from": f"coalesce(cast(({feed.effective}) as date), {changed})" if feed.effective else changed,
        "_updated_at": versions.moment,
    }


def business_date(feed: Feed, day: str, of_row: dict[str, str]) -> str:
    """SQL of the day a row belongs to: a tombstone may hold nothing but the key, then it is that of the deletion."""
    if not feed.deleted_when:
        return day
    return f"case when ({feed.deleted_when}) then coalesce({day}, {of_row['_effective_from']}) else {day} end"


def exclude_twins(con: duckdb.DuckDBPyConnection, feed: Feed, columns: Columns) -> None:
    """A version that occurs twice in one extract is one version."""
    if not repeated_keys(con, feed.key):
        return
    con.execute(
        "insert into excluded select _row, 'already_landed', 'twin', 'the row occurs in this extract already'"
        f" from (select _row, row_number() over (partition by {sql.names(columns)} order by _row) as nth"
        f" from {REMAINING} where hash({sql.names(feed.key)}) in (select h from repeated)) where nth > 1"
    )


def with_keys_of(
    con: duckdb.DuckDBPyConnection, feed: Feed, columns: Columns, past: Iterable[Manifest]
) -> list[Manifest]:
    """The batches that can hold a key of the candidates, by the range of the first key column."""
    first = feed.key[0]
    kind = columns[first]
    bounds = con.execute(f"select min({sql.quote(first)}), max({sql.quote(first)}) from {REMAINING}").fetchall()[0]
    if bounds[0] is None:
        return []
    low, high = bounds

    def can_hold(manifest: Manifest) -> bool:
        if manifest.key_range is None or manifest.columns.get(first) != kind:
            return True
        least, greatest = (int(end) if kind in WHOLE_NUMBERS else end for end in manifest.key_range)
        return bool(least <= high and greatest >= low)

    return [manifest for manifest in past if can_hold(manifest)]


def find_landed(
    con: duckdb.DuckDBPyConnection,
    feed: Feed,
    columns: Columns,
    landing: Landing,
    past: Iterable[Manifest],
    *,
    whole: bool,
) -> None:
    """Fill `landed_versions` with what the batches hold of the candidates' keys (`whole`: of all keys).

    One shape at a time and by an inner join, so that DuckDB skips row groups outside the range of the keys.
    """
    wanted = {name: columns[name] for name in (*feed.key, *feed.control_totals.values()) if name in columns}
    con.execute(
        f"create temp table landed_versions as select {sql.names(wanted)}, {', '.join(ORDINAL)}"
        " from (select *, false as _superseded from candidate) where false"
    )
    con.execute(f"create temp table wanted_keys as select distinct {sql.names(feed.key)} from {REMAINING}")
    joined = "" if whole else f" join wanted_keys w on {sql.equal_keys(feed.key, 'l', 'w')}"
    for then, manifests in group_by_shape(m for m in past if m.counts.accepted):
        landed = (
            f"(select {as_now(then, wanted)}, {', '.join(f'k.{name}' for name in ORDINAL)}"
            f" from {sql.parquet(landing.parts(manifests))} k)"
        )
        con.execute(f"insert into landed_versions select l.* from {landed} l{joined}")


def exclude_landed(
    con: duckdb.DuckDBPyConnection, feed: Feed, columns: Columns, landing: Landing, past: Iterable[Manifest]
) -> None:
    """A version whose key, time and values have landed is landed already."""
    con.execute(
        f"create temp table met as select distinct l._load_id, l._row from landed_versions l join {REMAINING} c"
        f" on l._updated_at = c._updated_at and {sql.equal_keys(feed.key, 'l', 'c')}"
    )
    loads = {load for (load,) in con.execute("select distinct _load_id from met").fetchall()}
    for then, manifests in group_by_shape(m for m in past if m.load_id in loads):
        rows = " where (_load_id, _row) in (select (_load_id, _row) from met)"
        landed = known(then, columns, landing.parts(manifests), rows)
        con.execute(
            "insert into excluded select distinct c._row, 'already_landed', 'landed', 'landed by an earlier load'"
            f" from {REMAINING} c join {landed.relation} l on {landed.same(columns, 'c', 'l')}"
        )


def write_versions(run: Extraction, accepted: Path) -> Path:
    """The accepted rows with `_superseded`, and what they change in the table `changes`.

    A replayed row keeps the order of its version and never beats one that landed with the same time.
    """
    con, key = run.con, sql.names(run.feed.key)
    columns = (
        f"{sql.names([*run.columns, *run.apart], 'p')}, p._load_id, p._row, p._op, p._business_date, p._effective_from"
    )
    rows = sql.parquet([accepted])
    ordinal = "1"
    if sql.scalar(con, f"select count(*) - count(distinct hash({key})) from {rows}"):
        ordinal = f"row_number() over (partition by {key} order by _updated_at desc, _row >= {REPLAYED}, _row desc)"
    path = accepted.with_name("versions.parquet")
    con.execute(
        f"copy (select {columns}, p._updated_at, p.nth > 1 or coalesce(l.newest > p._updated_at"
        f" or (l.newest = p._updated_at and p._row >= {REPLAYED}), false) as _superseded"
        f" from (select *, {ordinal} as nth from {rows}) p"
        f" left join (select {key}, max(_updated_at) as newest from landed_versions group by {key}) l"
        f" on {sql.equal_keys(run.feed.key, 'p', 'l')} order by p._business_date, p._row)"
        f" to {sql.literal(path)} (format parquet, compression zstd)"
    )
    counted = sql.names(name for name in run.feed.control_totals.values() if name in run.columns)
    values = f"{counted + ', ' if counted else ''}_business_date"
    newest = f"(select * from {sql.parquet([path])} where not _superseded)"
    con.execute(
        f"create temp table changes as select 1 as sign, {values} from {newest} where _op <> 'delete' union all"
        f" select -1, {values} from {_current(run, 'landed_versions')} l where l._op <> 'delete'"
        f" and exists (select 1 from {newest} n where {sql.equal_keys(run.feed.key, 'n', 'l')})"
    )
    return path


def _current(run: Extraction, versions: str) -> str:
    """SQL of the newest version of each key; of a member of a list that of the last effective day."""
    order = NEWEST_FIRST if has_events(run.feed) else f"_effective_from desc, {NEWEST_FIRST}"
    return (
        f"(select * from {versions}"
        f" qualify row_number() over (partition by {sql.names(run.feed.key)} order by {order}) = 1)"
    )


def _alive(run: Extraction, versions: str) -> str:
    return f"(select * from {_current(run, versions)} where _op <> 'delete')"


def state_after(run: Extraction, batch: str) -> State:
    """The state of the feed with the batch.

    When batches were left out since, what the others say of their changes no longer adds up to the state: then it is
    taken from all that landed, and the difference goes to this batch.
    """
    con, feed = run.con, run.feed
    keys = (run.past[-1].current_keys or 0) if run.past else 0
    chosen = sql.names(row[0] for row in con.execute("describe landed_versions").fetchall())
    alive = _alive(run, f"(select * from landed_versions union all select {chosen} from {batch})")
    months: Months = {}
    if run.recounted:
        keys = sql.scalar(con, f"select count(*) from {alive}")
        now = control_totals(con, feed, run.columns, alive)
        months = difference(now, [manifest.months for manifest in run.past])
    elif has_events(feed):
        keys += sql.scalar(con, "select sum(sign) from changes")
        months = control_totals(con, feed, run.columns, "changes", "sign")
    else:
        keys += sql.scalar(con, f"select count(*) from {alive}")
        keys -= sql.scalar(con, f"select count(*) from {_alive(run, 'landed_versions')}")
    seen = con.execute("select max(_updated_at) from candidate").fetchall()[0][0]
    known = [manifest.watermark_to for manifest in run.past if manifest.watermark_to]
    if seen is not None and run.versions:
        known.append(min(run.versions.local(seen), run.window.high))
    first = feed.key[0]
    ends = con.execute(f"select min({sql.quote(first)}), max({sql.quote(first)}) from {batch}").fetchall()[0]
    comparable = run.columns[first] in {*WHOLE_NUMBERS, "VARCHAR"} and ends[0] is not None
    return State(
        keys=keys,
        months=months if has_events(feed) else {},
        watermark=max(known, default=run.window.high),
        key_range=(str(ends[0]), str(ends[1])) if comparable else None,
    )
