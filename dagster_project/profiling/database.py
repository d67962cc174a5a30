"""Which tables a PostgreSQL database has that its user may read, and reading one whole to profile it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.errors import ConfigurationError
from dagster_project.landing.csv_options import Csv
from dagster_project.landing.opening import open_feed
from dagster_project.landing.postgres.session import Sessions
from dagster_project.landing.reader import Opened
from dagster_project.landing.source import Feed, Source
from dagster_project.profiling.discover import FoundFeed, plain_name

TABLES = """
    select n.nspname, c.relname,
        coalesce((
            select string_agg(a.attname, chr(31) order by array_position(i.indkey, a.attnum))
            from pg_catalog.pg_index i
            join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
            where i.indrelid = c.oid and i.indisprimary
        ), ''),
        coalesce((
            select string_agg(a.attname, chr(31))
            from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                and format_type(a.atttypid, a.atttypmod) = 'numeric'
        ), '')
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
        and n.nspname not in ('pg_catalog', 'information_schema')
        and n.nspname not like 'pg\\_%'
        and has_schema_privilege(n.oid, 'usage')
        and has_table_privilege(c.oid, 'select')
    order by 1, 2
"""


def dsn_variable(source: str) -> str:
    """The environment variable that is to hold the source's connection string."""
    return f"{source.upper()}_PG_DSN"


def find_tables(source: str, sessions: Sessions) -> list[FoundFeed]:
    """The tables and views the user may read; the source's variable holds the connection string.

    Raises:
        FeedError: the database can't be reached or refuses. ConfigurationError: there is no table to read.
    """
    # until a table is known, any name stands for one
    unknown = provisional(source, "tables", "public.tables")
    session = sessions.of(unknown, unknown.feeds["tables"])
    rows = session.ask(TABLES)
    if not rows:
        raise ConfigurationError(
            f"the user of {session.dsn.place} may read no table there", remedy="grant it SELECT on what it is to load"
        )
    names = [plain_name(table) for _, table, _, _ in rows]
    return [
        FoundFeed(
            name=name if names.count(name) == 1 else plain_name(f"{schema} {table}"),
            path="",
            files=(),
            format="postgres",
            date_pattern=None,
            csv=Csv(),
            table=f"{schema}.{table}",
            primary_key=_split(key),
            numerics=frozenset(_split(numerics)),
        )
        for name, (schema, table, key, numerics) in zip(names, rows, strict=True)
    ]


def open_table(con: duckdb.DuckDBPyConnection, source: str, found: FoundFeed, sessions: Sessions, work: Path) -> Opened:
    """All rows of a table, streamed into a file in `work`."""
    database = provisional(source, found.name, found.table)
    return open_feed(con, database, database.feeds[found.name], {}, sessions, work).within("")


def provisional(source: str, feed: str, table: str) -> Source:
    """The source as far as it is known: enough to open a table of it."""
    known = {"class": "descriptive", "canonical": [], "extract": "append", "cursor": "unknown"}
    described = Feed.model_validate(
        known | {"source": source, "kind": "postgres", "name": feed, "table": table, "columns": {"unknown": "VARCHAR"}}
    )
    return Source.model_validate(
        {
            "name": source,
            "kind": "postgres",
            "dsn": f"${{{dsn_variable(source)}}}",
            "timezone": "UTC",
            "feeds": {feed: described},
        }
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(chr(31))) if text else ()
