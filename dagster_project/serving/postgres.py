"""A session with the PostgreSQL store: one connection, transactions of its own, errors without passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.landing import sql
from dagster_project.landing.postgres.dsn import Dsn
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa
    from adbc_driver_postgresql.dbapi import Connection

OLDEST = 15  # views with the rights of who asks (security_invoker)
LOCK = 0x434C4945  # one sync at a time, whoever runs it
REASON = re.compile(r"(?:ERROR|FATAL):\s+(.*)")
# A sync that can't get a table within this time gives up: readers must not queue behind it.
SETTINGS = {"timezone": "UTC", "lock_timeout": "20s", "idle_in_transaction_session_timeout": "0"}


class StoreError(ClienteleError):
    """The store can't be reached, or refused something; it keeps its former state."""


class Postgres:
    """An open session. Nothing is seen by others before `commit`."""

    def __init__(self, connection: Connection, dsn: Dsn) -> None:
        self._connection = connection
        self.dsn = dsn

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with self._explained(), self._connection.cursor() as cursor:
            cursor.execute(query)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def run(self, *statements: str) -> None:
        with self._explained(), self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def append(self, table: str, rows: pa.RecordBatchReader) -> None:
        """COPY rows into a table that is there; columns are found by name."""
        schema, name = table.split(".")
        with self._explained(), self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="append", db_schema_name=schema)

    def commit(self) -> None:
        with self._explained():
            self._connection.commit()

    @contextmanager
    def without_transaction(self) -> Iterator[None]:
        """For statements that no transaction can hold."""
        self._connection.adbc_connection.set_autocommit(True)
        try:
            yield
        finally:
            self._connection.adbc_connection.set_autocommit(False)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        import adbc_driver_manager
        import pyarrow

        try:
            yield
        # within a stream the database's errors come as Arrow's, a lost connection as an OSError
        except (adbc_driver_manager.Error, pyarrow.ArrowException, OSError) as error:
            raise explained(error, self.dsn) from None


@contextmanager
def open_store(settings: Settings) -> Iterator[Postgres]:
    """A session with the store of this installation; what is not committed at its end never was.

    Raises:
        ConfigurationError: CLIENTELE_PG_DSN is not set, or is no connection string.
        StoreError: the server does not answer, or is too old.
    """
    import adbc_driver_manager
    from adbc_driver_postgresql.dbapi import connect

    dsn = store_dsn(settings)
    try:
        connection = connect(dsn.text)
    except adbc_driver_manager.Error as error:
        raise explained(error, dsn) from None
    try:
        store = Postgres(connection, dsn)
        store.ask("select " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SETTINGS.items()))
        ((version,),) = store.ask("select current_setting('server_version_num')::int / 10000")
        if version < OLDEST:
            raise StoreError(f"PostgreSQL {version} at {dsn.place} is too old", remedy=f"take {OLDEST} or later")
        store.commit()
        yield store
    finally:
        connection.close()


def create_database(store: Postgres, name: str) -> None:
    """A further database on the store's server, unless it is there."""
    if store.ask(f"select 1 from pg_database where datname = {literal(name)}"):
        return
    store.commit()
    with store.without_transaction():
        store.run(f"create database {sql.quote(name)}")


def store_dsn(settings: Settings) -> Dsn:
    """Where the store is.

    Raises:
        ConfigurationError: CLIENTELE_PG_DSN is not set, or is no connection string.
    """
    remedy = "set CLIENTELE_PG_DSN to postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    text = settings.pg_dsn.get_secret_value()
    if not text:
        raise ConfigurationError("there is no PostgreSQL store: CLIENTELE_PG_DSN is not set", remedy=remedy)
    try:
        return Dsn.parse(text, "CLIENTELE_PG_DSN")
    except ConfigurationError:
        raise ConfigurationError("CLIENTELE_PG_DSN is no connection string", remedy=remedy) from None


def explained(error: Exception, dsn: Dsn) -> StoreError:
    told = str(error)
    reason = REASON.search(told)
    said = dsn.without_secrets((reason[1] if reason else told.partition("\n")[0].removeprefix("IO: [libpq] ")).strip())
    if "Failed to connect" in told or "onnection" in said:
        remedy = "see that the server runs and CLIENTELE_PG_DSN is right; then: clientele serve sync"
    elif "lock timeout" in said:
        remedy = "a long query or transaction holds a table: let it end, then: clientele serve sync"
    elif "permission denied" in said or "must be owner" in said:
        remedy = "let the user of CLIENTELE_PG_DSN own its database; then: clientele serve init"
    else:
        remedy = "the store keeps its former state; correct this, then: clientele serve sync"
    return StoreError(f"the store at {dsn.place} refused: {said[:300]}", remedy=remedy)


def literal(text: object) -> str:
    """A PostgreSQL string, NULL for None."""
    return "null" if text is None else sql.literal(text)
