"""Opening a feed, whatever its source is: files, or a table of a database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from dagster_project.landing import sql
from dagster_project.landing.manifest import SourceFile
from dagster_project.landing.postgres.session import Sessions
from dagster_project.landing.reader import Opened, open_files
from dagster_project.landing.source import Feed, Kind, Source


def open_feed(
    con: duckdb.DuckDBPyConnection,
    source: Source,
    feed: Feed,
    declared: dict[str, str],
    sessions: Sessions,
    work: Path,
    known: Sequence[SourceFile] = (),
) -> Opened:
    """Find a feed's files or table and their columns.

    Args:
        declared: the columns of the accepted schema: what text is read as.
        sessions: the databases' sessions of this load.
        work: a folder for rows on their way.
        known: files of earlier batches, so that an unchanged file is not hashed again.

    Raises:
        FeedError: there is none, or it can't be read. ConfigurationError: the source's variable is not set.
    """
    if source.kind is Kind.FILES:
        return open_files(con, feed, source.folder(), declared, known)
    from dagster_project.landing.postgres.reader import open_table

    return open_table(con, source, feed, declared, sessions, work)


def current_shape(
    con: duckdb.DuckDBPyConnection, source: Source, feed: Feed, agreed: dict[str, str], work: Path
) -> dict[str, str]:
    """The columns a feed has now, to be accepted.

    Text has no types of its own: an agreed type stands, unless more of the column's values can't be read as it
    than `max_rejected` allows; such a column is text from now on.
    """
    with Sessions() as sessions:
        opened = open_feed(con, source, feed, agreed, sessions, work)
    if opened.rejects is None:
        return opened.columns
    bad: dict[str | None, int] = dict(
        con.execute(f"select column_name, count(*) from {opened.rejects} group by 1").fetchall()
    )
    lines = sql.scalar(con, f"select count(*) from {opened.relation}") + sum(bad.values())
    return {
        name: "VARCHAR" if bad.get(name, 0) > feed.max_rejected * lines else kind
        for name, kind in opened.columns.items()
    }
