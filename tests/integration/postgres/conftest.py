"""Fixtures of the PostgreSQL tests: one server a session, a database and a landing of its own a test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_kit import PostgresShop

from tests.support.postgres import Server


@pytest.fixture
def shop(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., PostgresShop]]:
    """Makes a source on a fresh database, from SQL that fills it and feeds as source.yml says them."""
    made: list[PostgresShop] = []

    def make(statements: str, /, **feeds: dict[str, Any]) -> PostgresShop:
        database = postgres.database(statements)
        monkeypatch.setenv("SHOP_PG_DSN", postgres.dsn(database))
        made.append(PostgresShop(postgres, database, tmp_path, feeds))
        return made[-1]

    yield make
    for one in made:
        one.sessions.close()
