"""A feed of a PostgreSQL table or query: its columns first, then the rows of a window, streamed and typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import adbc_driver_manager
import duckdb
import pyarrow

from dagster_project.errors import FeedError
from dagster_project.landing import sql
from dagster_project.landing.manifest import SourceTable
from dagster_project.landing.postgres.failures import explain
from dagster_project.landing.postgres.session import Session, Sessions
from dagster_project.landing.postgres.types import Column
from dagster_project.landing.reader import Opened
from dagster_project.landing.source import Feed, Source

FINITE = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")


def open_table(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    feed: Feed,
    declared: dict[str, str],
    sessions: Sessions,
    work: Path,
) -> Opened:
    """Look a feed's table or query up; `within` of the result reads its rows into a file in `work`.

    Raises:
        FeedError: the database, the table or a right to read is not there.
    """
    session = sessions.of(source, feed)
    with _explained(source, feed, session, sessions):
        found = _columns_of_query(session, feed) if feed.query else _columns_of_table(session, feed, declared)
    kinds = {column.name: column.read_as(declared.get(column.name)) for column in found}

    def fetch(condition: str) -> Opened:
        select = ", ".join(f"{column.fetched} as c{n}" for n, column in enumerate(found))
        where = f" where {condition}" if condition else ""
        path = work / f"fetched_{feed.name}.parquet"
        with _explained(source, feed, session, sessions):
            rows = _write(session, f"select {select} from {_relation(feed)} as q{where}", path)
        table = SourceTable(
            path=f"{session.dsn.place}/{feed.table or feed.name}", snapshot_at=session.snapshot_at, rows=rows
        )
        relation, rejects = _typed(con, feed, found, kinds, path)
        return replace(opened, relation=relation, rejects=rejects, tables=(table,))

    opened = Opened("", kinds, (), table=f"{feed.place} at {session.dsn.place}", fetch=fetch)
    return opened


@contextmanager
def _explained(source: Source, feed: Feed, session: Session, sessions: Sessions) -> Iterator[None]:
    """Whatever ends the transaction ends the session: the next feed needs a sound one.

    Within a stream the database's errors come as Arrow's, and a lost connection as an OSError without number; one
    with a number is the disk's.
    """
    try:
        yield
    except (adbc_driver_manager.Error, pyarrow.ArrowException, OSError) as error:
        sessions.end(source)
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise explain(feed, session.dsn, error) from None


def _relation(feed: Feed) -> str:
    return f"({feed.query}\n)" if feed.query else ".".join(map(sql.quote, feed.table.split(".")))


def _columns_of_query(session: Session, feed: Feed) -> list[Column]:
    names = session.names(feed.query)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FeedError(
            feed.source,
            feed.name,
            f"its query gives more than one column {', '.join(twice)}",
            remedy="give each a name of its own in `query` in source.yml",
        )
    kinds = ", ".join(f"cast(pg_typeof(q.{sql.quote(name)}) as text)" for name in names)
    # a row of NULLs has types too
    found = session.ask(
        f"select {kinds} from (select 1) one left join (select * from {_relation(feed)} q limit 0) q on true"
    )
    return [Column(name, kind) for name, kind in zip(names, found[0], strict=True)]


def _columns_of_table(session: Session, feed: Feed, declared: dict[str, str]) -> list[Column]:
    """The columns the user may read, from the catalogue: asking the table itself would end the transaction."""
    schema, _, table = feed.table.partition(".")
    rows = session.ask(
        "select a.attname, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid),"
        " case when t.typbasetype <> 0 then t.typtypmod else a.atttypmod end),"
        " has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select')"
        " from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " join pg_catalog.pg_attribute a on a.attrelid = c.oid join pg_catalog.pg_type t on t.oid = a.atttypid"
        f" where n.nspname = {sql.literal(schema)} and c.relname = {sql.literal(table)}"
        " and a.attnum > 0 and not a.attisdropped order by a.attnum"
    )
    if not rows:
        raise FeedError(
            feed.source,
            feed.name,
            f"{feed.place} at {session.dsn.place} does not exist",
            remedy="correct `table` in source.yml, or have the table restored",
        )
    if refused := [name for name, _, allowed in rows if not allowed and name in declared]:
        raise FeedError(
            feed.source,
            feed.name,
            f"{feed.place} at {session.dsn.place}: the user may not read {', '.join(refused)}",
            remedy=f"as its owner: GRANT USAGE ON SCHEMA {schema} and GRANT SELECT ON {feed.table} to `dsn`'s user",
        )
    return [Column(name, kind) for name, kind, allowed in rows if allowed]


def _write(session: Session, query: str, path: Path) -> int:
    """Stream a query's rows into a Parquet file; returns how many."""
    from pyarrow.parquet import ParquetWriter

    batches = session.stream(query)
    rows = 0
    with ParquetWriter(path, next(batches), compression="lz4") as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _typed(
    con: duckdb.DuckDBPyConnection, feed: Feed, found: list[Column], kinds: dict[str, str], path: Path
) -> tuple[str, str]:
    """SQL of the rows in their types, and the table of those that don't fit."""
    rows = f"(select *, file_row_number as _row from read_parquet({sql.literal(path)}, file_row_number = true))"
    names = {column.name: f"c{n}" for n, column in enumerate(found)}
    bad = {column.name: column.unreadable(names[column.name], kinds[column.name]) for column in found}
    for name in (name for name, kind in kinds.items() if kind in FINITE and name in (feed.cursor, feed.updated_at)):
        moment = f"try_cast({names[name]} as {kinds[name]})"
        bad[name] = f"({bad[name]} or {moment} is not null and not isfinite({moment}))"
    unfit = " or ".join(bad.values())
    whens = "".join(f" when {is_bad} then {sql.literal(name)}" for name, is_bad in bad.items())
    reasons = "".join(f" when {is_bad} then {sql.literal(kinds[name])}" for name, is_bad in bad.items())
    said = ", ".join(f"{sql.literal(name)}: cast({short} as varchar)" for name, short in names.items())
    key = "".join(
        f" || {sql.literal(f'{before}{name} ')} || coalesce(cast({names[name]} as varchar), 'NULL')"
        for before, name in zip([" at ", *[", "] * len(feed.key)], feed.key, strict=False)
    )
    rejects = sql.quote(f"rejects_{feed.name}")
    con.execute(
        f"create or replace temp table {rejects} as select {sql.literal(feed.table or feed.name)} as file,"
        f" _row + 1 as line, case{whens} end as column_name, 'not to be read as ' || case{reasons} end{key} as reason,"
        f" cast(to_json({{{said}}}) as varchar) as raw from {rows} where {unfit}"
    )
    values = ", ".join(f"cast({short} as {kinds[name]}) as {sql.quote(name)}" for name, short in names.items())
    kept = f" where not ({unfit})" if sql.scalar(con, f"select count(*) from {rejects}") else ""
    return f"(select {values}, _row from {rows}{kept})", rejects
