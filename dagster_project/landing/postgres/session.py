"""One read-only REPEATABLE READ transaction on a source's database, for all its feeds of one load.

All feeds see one moment, whatever is written meanwhile, and nobody is kept from writing. An error ends the
session; the next feed opens another, with a later moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from dagster_project.landing.postgres.dsn import Dsn
from dagster_project.landing.postgres.failures import explain
from dagster_project.landing.source import Feed, Source

if TYPE_CHECKING:
    from adbc_driver_postgresql.dbapi import Connection
    from pyarrow import RecordBatch, Schema

# What the text of values depends on is set, not taken from the server; `idle` because a feed is checked and
# committed while the transaction waits for the next.
SETTINGS = {
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "60s",
}


class Session:
    """An open transaction.

    Attributes:
        dsn: where it leads.
        snapshot_at: the database's time when the snapshot was taken.
    """

    def __init__(self, connection: Connection, dsn: Dsn) -> None:
        self._connection, self.dsn = connection, dsn
        found = self.ask("select cast(transaction_timestamp() at time zone 'UTC' as text)")
        self.snapshot_at = datetime.fromisoformat(found[0][0])

    @classmethod
    def open(cls, source: Source, dsn: Dsn) -> Session:
        from adbc_driver_postgresql.dbapi import connect

        connection = connect(dsn.text, autocommit=True)
        try:
            settings = SETTINGS | {"statement_timeout": f"{source.statement_timeout_seconds}s"}
            calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
            with connection.cursor() as cursor:
                cursor.execute(f"select {calls}")
                cursor.fetchall()
            connection.adbc_connection.set_autocommit(False)
            return cls(connection, dsn)
        except BaseException:
            connection.close()
            raise

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def names(self, query: str) -> list[str]:
        """The names of a query's columns."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"select * from ({query}\n) as q limit 0")
            return [column[0] for column in cursor.description or ()]

    def stream(self, query: str) -> Iterator[Schema | RecordBatch]:
        """The schema, then the rows in batches of about 16 MB; only one batch is in memory."""
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            with cursor.fetch_record_batch() as reader:
                yield reader.schema
                yield from reader

    def close(self) -> None:
        self._connection.close()


class Sessions:
    """The sessions of one load, one a source, opened when first needed."""

    def __init__(self) -> None:
        self._open: dict[str, Session] = {}

    def of(self, source: Source, feed: Feed) -> Session:
        """The source's session.

        Raises:
            FeedError: the database can't be reached or refuses. ConfigurationError: the variable is not set.
        """
        import adbc_driver_manager

        if source.name not in self._open:
            dsn = Dsn.parse(source.resolved_dsn(), source.name)
            try:
                self._open[source.name] = Session.open(source, dsn)
            except (adbc_driver_manager.Error, OSError) as error:
                raise explain(feed, dsn, error) from None
        return self._open[source.name]

    def end(self, source: Source) -> None:
        """Close the source's session, if there is one; the next feed opens another."""
        if session := self._open.pop(source.name, None):
            session.close()

    def close(self) -> None:
        """Close all."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
