"""The PostgreSQL store seen from outside: by its own clients, compared with the served file cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from tests.support.installation import Installation
from tests.support.postgres import Server

PASSWORDS = {"analyst": "an4lyst", "steward": "st3ward"}


@dataclass
class Store:
    """A database of a test's server, and the installation that is served into it."""

    server: Server
    database: str
    home: Installation

    @classmethod
    def of(cls, server: Server, home: Installation, **settings: str) -> Store:
        store = cls(server, server.database(), home)
        home.env |= {
            "CLIENTELE_PG_DSN": server.dsn(store.database),
            "CLIENTELE_PG_ANALYST_PASSWORD": PASSWORDS["analyst"],
            "CLIENTELE_PG_STEWARD_PASSWORD": PASSWORDS["steward"],
        } | settings
        return store

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.server.ask(query, self.database)

    def dsn(self, role: str) -> str:
        return self.server.dsn(self.database, role, PASSWORDS[role])

    def ask_as(self, role: str, *queries: str) -> list[tuple[Any, ...]]:
        """The rows of the last of some queries, asked in one session."""
        with adbc.connect(self.dsn(role), autocommit=True) as connection, connection.cursor() as cursor:
            for query in queries:
                cursor.execute(query)
            return cursor.fetchall()

    @property
    def tables(self) -> list[str]:
        """Those it has been sent, and the cube's views."""
        return [
            name
            for (name,) in self.ask(
                "select name from clientele.served_table union all select schemaname || '.' || viewname from pg_views"
                " where schemaname = 'cube' order by 1"
            )
        ]

    def differing(self) -> list[str]:
        """Tables and views that hold other rows than the served file."""
        return [name for name in self.tables if not self._is_same(name)]

    def _is_same(self, name: str) -> bool:
        with (
            duckdb.connect(str(self.home.warehouse.resolve()), read_only=True) as con,
            adbc.connect(self.server.dsn(self.database)) as connection,
            connection.cursor() as cursor,
        ):
            kinds = dict(con.execute(f"select column_name, column_type from (describe {name})").fetchall())
            columns = ", ".join(map(quote, kinds))
            cursor.execute(f"select {columns} from {name}")
            con.register("theirs", cursor.fetch_arrow_table())  # exact numbers come as text
            read = ", ".join(f"cast({quote(column)} as {kind}) as {quote(column)}" for column, kind in kinds.items())
            ours, other = f"select {columns} from {name}", f"select {read} from theirs"
            query = f"select count(*) from (({ours} except all {other}) union all ({other} except all {ours}))"
            return con.execute(query).fetchall() == [(0,)]


def quote(column: str) -> str:
    return f'"{column}"'
