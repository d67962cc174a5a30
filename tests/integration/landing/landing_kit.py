"""A small source of one's own for the landing tests: written by hand, landed night by night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import yaml

from dagster_project.landing import sql
from dagster_project.landing.batch import FeedResult, Outcome, land_feed
from dagster_project.landing.extraction import Night
from dagster_project.landing.manifest import Landing
from dagster_project.landing.quarantine import Quarantine
from dagster_project.landing.source import Source, read_source

LINES: dict[str, Any] = {
    "path": "lines.csv",
    "class": "transactional",
    "canonical": "order_lines",
    "extract": "append",
    "key": ["id"],
    "cursor": "sold_at",
    "control_totals": {"amount": "amount"},
    "max_rejected": 1.0,
    "columns": {"id": "BIGINT", "sold_at": "TIMESTAMP", "amount": "DOUBLE", "note": "VARCHAR"},
}
CUSTOMERS: dict[str, Any] = {
    "path": "customers.csv",
    "class": "descriptive",
    "canonical": "customers",
    "extract": "snapshot",
    "key": ["id"],
    "max_deleted": 1.0,
    "columns": {"id": "BIGINT", "city": "VARCHAR"},
}


@dataclass(frozen=True)
class Broken:
    message: str


@dataclass(frozen=True)
class Ruling:
    critical: tuple[Broken, ...] = ()


@dataclass(frozen=True)
class Rule:
    """A gate with one rule: rows for which the SQL condition is true are set aside (or fail the batch)."""

    bad: str = "false"
    critical: bool = False

    def __call__(self, batch: Path, violations: Path) -> Ruling:
        with duckdb.connect() as con:
            con.execute(
                f"copy (select _row, 'bad_row' as rule, 'it is bad' as reason from '{batch}'"
                f" where _op <> 'delete' and ({self.bad})) to '{violations}' (format parquet)"
            )
            found = con.execute(f"select count(*) from '{violations}'").fetchall()[0][0]
        if not found or self.critical:
            violations.unlink()
        return Ruling((Broken(f"{found} rows are bad"),) if found and self.critical else ())


PASS = Rule()


class Shop:
    """A source named `shop` with feeds given as in source.yml, in a folder of its own.

    Args:
        root: a fresh folder.
        zone: the source's time zone.
        feeds: name -> what source.yml says of the feed.
    """

    def __init__(self, root: Path, zone: str = "America/New_York", **feeds: dict[str, Any]) -> None:
        self.data, self.root = root / "data", root
        self.data.mkdir(parents=True)
        self.zone, self.feeds = zone, feeds
        self.loads = 0
        self.without: dict[str, str] = {}

    @property
    def source(self) -> Source:
        file = self.root / "sources" / "shop" / "source.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        said = {"name": "shop", "kind": "files", "root": str(self.data), "timezone": self.zone, "feeds": self.feeds}
        file.write_text(yaml.safe_dump(said), encoding="utf-8")
        return read_source(file)

    @property
    def landing(self) -> Landing:
        return Landing(self.root / "landing", self.without)

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.root / "quarantine", self.landing)

    def write(self, file: str, text: str, encoding: str = "utf-8") -> Path:
        path = self.data / file
        path.write_bytes(text.encode(encoding))
        return path

    def parquet(self, file: str, query: str) -> Path:
        path = self.data / file
        with duckdb.connect(config=sql.CONFIG) as con:
            con.execute(f"copy ({query}) to '{path}' (format parquet)")
        return path

    def try_load(self, feed: str, day: str = "2017-03-01", gate: Rule = PASS, **night: Any) -> FeedResult:
        """Land one feed as a load of that day would."""
        self.loads += 1
        source = self.source
        whole = Night(
            load_id=f"load{self.loads:02}",
            load_date=date.fromisoformat(day),
            landing=self.landing,
            quarantine=self.quarantine,
            memory_limit="500MB",
            threads=2,
            **night,
        )
        return land_feed(whole, source, source.feeds[feed], gate)

    def load(self, feed: str, day: str = "2017-03-01", gate: Rule = PASS, **night: Any) -> FeedResult:
        """The same, and it must not fail."""
        result = self.try_load(feed, day, gate, **night)
        assert result.outcome is not Outcome.FAILED, f"{result.message}\n{result.remedy}"
        return result

    def fail(self, feed: str, day: str = "2017-03-01", gate: Rule = PASS, **night: Any) -> str:
        """The same, and it must fail; returns message and remedy."""
        result = self.try_load(feed, day, gate, **night)
        assert result.outcome is Outcome.FAILED, result
        assert result.message.startswith(f"shop.{feed}: "), result.message
        assert result.remedy
        return f"{result.message}\n{result.remedy}"

    def landed(self, feed: str, columns: str, load: str = "load*") -> list[tuple[Any, ...]]:
        """Columns of the landed rows, sorted."""
        parts = self.root / "landing" / "shop" / feed / load / "part.parquet"
        parts = parts if load == "load*" else parts.parent.with_name(f"load={load}") / parts.name
        with duckdb.connect(config=sql.CONFIG) as con:
            if not list(parts.parent.parent.glob(f"{parts.parent.name}/part.parquet")):
                return []
            read = f"read_parquet('{parts}', union_by_name = true, hive_partitioning = false)"
            return con.execute(f"select {columns} from {read} order by all").fetchall()

    def set_aside(self, feed: str) -> list[tuple[str, int, str]]:
        """(load, row, status) of every row ever set aside."""
        return [(row.load_id, row.row, row.status.value) for row in self.quarantine.held(f"shop.{feed}")]

    def rejected(self, feed: str) -> list[tuple[int, str | None, str]]:
        """(line, column, text) of every line ever rejected."""
        found = self.quarantine.rejects(f"shop.{feed}", 100)
        return [(record["line"], record["column_name"], record["raw"]) for record in found]
