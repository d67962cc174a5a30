"""A shop small enough to work out by hand: three households, two products, one campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from dagster_project.landing.source import read_source

PROJECT = Path(__file__).resolve().parents[2]


class SmallShop:
    """The files of complete_journey with hand-written rows; change `rows` and write them again.

    Attributes:
        rows: per feed a list of rows, in the order of the feed's columns in source.yml.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.feeds = read_source(PROJECT / "sources" / "complete_journey" / "source.yml").feeds
        self.rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in self.feeds}
        self.rows["campaign_descriptions"] = [(1, "Type A", "2017-03-01 00:00:00", "2017-03-31 00:00:00")]
        self.rows["campaigns"] = [(1, 1)]
        self.rows["coupons"] = [(500, 10, 1), (500, 20, 1)]
        self.rows["promotions"] = [(10, 7, "1", "A", 10)]

    def line(self, basket: int, household: int, product: int, at_utc: str, sales: float) -> None:
        """A transaction line: one piece, no discount, in store 7."""
        self.rows["transactions"].append((household, 7, basket, product, 1, sales, 0.0, 0.0, 0.0, 10, at_utc))

    def set(self, feed: str, *rows: tuple[Any, ...]) -> None:
        """Replace the rows of the feed that have the same first column."""
        ids = {row[0] for row in rows}
        self.rows[feed] = sorted([row for row in self.rows[feed] if row[0] not in ids] + list(rows))

    def remove(self, feed: str, key: int) -> None:
        self.rows[feed] = [row for row in self.rows[feed] if row[0] != key]

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as con:
            for name, feed in self.feeds.items():
                columns = ", ".join(f"{column} {kind}" for column, kind in feed.columns.items())
                con.execute(f"create or replace table t ({columns})")
                if self.rows[name]:
                    marks = ", ".join("?" * len(feed.columns))
                    con.executemany(f"insert into t values ({marks})", self.rows[name])
                con.execute(f"copy t to '{self.folder / feed.path}' (format parquet)")
