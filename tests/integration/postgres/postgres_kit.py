"""A shop in PostgreSQL for the landing tests, landed night by night."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import yaml

from dagster_project.landing import sql
from dagster_project.landing.batch import FeedResult, Outcome, land_feed
from dagster_project.landing.extraction import Night
from dagster_project.landing.manifest import Landing
from dagster_project.landing.postgres.session import Sessions
from dagster_project.landing.quarantine import Quarantine
from dagster_project.landing.source import Source, read_source
from tests.support.postgres import Server

LINES: dict[str, Any] = {
    "table": "public.lines",
    "class": "transactional",
    "canonical": "order_lines",
    "extract": "append",
    "key": ["id"],
    "cursor": "sold_at",
    "control_totals": {"amount": "amount"},
    "columns": {"id": "BIGINT", "sold_at": "TIMESTAMPTZ", "amount": "DECIMAL(19, 4)"},
}
CUSTOMERS: dict[str, Any] = {
    "table": "public.customers",
    "class": "descriptive",
    "canonical": "customers",
    "extract": "snapshot",
    "key": ["id"],
    "max_deleted": 1.0,
    "columns": {"id": "BIGINT", "city": "VARCHAR"},
}
TABLES = """
create table lines (id bigint primary key, sold_at timestamptz not null, amount numeric(12, 2));
create table customers (id bigint primary key, city text);
insert into lines values (1, '2017-03-01 10:00+00', 1.10), (2, '2017-03-01 23:30+00', 2.20);
insert into customers values (7, 'Rome'), (8, 'Oslo');
"""


@dataclass(frozen=True)
class Passed:
    critical: tuple[Any, ...] = ()


def accept_all(batch: Path, violations: Path) -> Passed:
    return Passed()


@dataclass
class PostgresShop:
    """A source named `shop` with feeds given as in source.yml, read from one database of the server."""

    server: Server
    database: str
    root: Path
    feeds: dict[str, dict[str, Any]]
    said: dict[str, Any] = field(default_factory=dict)
    loads: int = 0
    sessions: Sessions = field(default_factory=Sessions)

    @property
    def source(self) -> Source:
        file = self.root / "sources" / "shop" / "source.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        said = {"name": "shop", "kind": "postgres", "dsn": "${SHOP_PG_DSN}", "timezone": "Europe/Rome"}
        file.write_text(yaml.safe_dump(said | self.said | {"feeds": self.feeds}), encoding="utf-8")
        return read_source(file)

    def run(self, statements: str) -> None:
        self.server.run(statements, self.database)

    def new_load(self) -> None:
        """End the running load's transaction; the next feed landed belongs to another load."""
        self.sessions.close()
        self.loads += 1

    def try_feed(self, feed: str, day: str = "2017-03-01", **night: Any) -> FeedResult:
        """Land one feed within the running load."""
        landing = Landing(self.root / "landing")
        whole = Night(
            load_id=f"load{self.loads:02}",
            load_date=date.fromisoformat(day),
            landing=landing,
            quarantine=Quarantine(self.root / "quarantine", landing),
            memory_limit="500MB",
            threads=2,
            sessions=self.sessions,
            **night,
        )
        source = self.source
        return land_feed(whole, source, source.feeds[feed], accept_all)

    def load(self, feed: str, day: str = "2017-03-01", **night: Any) -> FeedResult:
        """Land one feed in a load of its own; it must not fail."""
        self.new_load()
        result = self.try_feed(feed, day, **night)
        self.sessions.close()
        assert result.outcome is not Outcome.FAILED, f"{result.message}\n{result.remedy}"
        assert result.counts.balanced()
        return result

    def fail(self, feed: str, day: str = "2017-03-01") -> FeedResult:
        """The same, and it must fail, tell its name, and leave nothing."""
        self.new_load()
        result = self.try_feed(feed, day)
        assert result.outcome is Outcome.FAILED, result
        assert result.message.startswith(f"shop.{feed}: "), result.message
        assert result.remedy
        assert self.server.password not in result.told
        assert not list((self.root / "landing" / "shop" / feed).glob("load=*" if self.loads == 1 else ".extract*"))
        return result

    def landed(self, feed: str, columns: str) -> list[tuple[Any, ...]]:
        """Columns of the landed rows, sorted."""
        parts = self.root / "landing" / "shop" / feed / "load=*" / "part.parquet"
        with duckdb.connect(config=sql.CONFIG) as con:
            read = f"read_parquet('{parts}', union_by_name = true, hive_partitioning = false)"
            return con.execute(f"select {columns} from {read} order by all").fetchall()
