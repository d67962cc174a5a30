"""What is in a feed: its columns with types, NULLs and ranges, and the columns that tell its rows apart.

Files are read as the load reads them, so a type that is proposed here is one that the load can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.landing import sql
from dagster_project.landing.reader import Opened, open_files
from dagster_project.landing.source import Feed
from dagster_project.landing.text import unreadable
from dagster_project.profiling.discover import FoundFeed, plain_name

# What text may be, strictest first
NUMBERS = ("BIGINT", "DECIMAL(19,4)", "DECIMAL(28,12)", "DOUBLE")
TEXT_TYPES = ("BOOLEAN", *NUMBERS, "DATE", "TIMESTAMP")
ZONED = r"[0-9:.](Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
CODES = 40  # distinct values up to which a column is looked at as a code
WIDEST_KEY = 3
MOST_COLUMNS = 8  # that a key is sought among
KEY_NAME = re.compile(r"(^|_)(id|ids|key|no|nr|num|number|code|sku|uuid|guid|line|position|seq|week)$|^(id|key)_")


@dataclass(frozen=True)
class ColumnProfile:
    """One column.

    Attributes:
        kind: DuckDB type it is read as.
        nulls: share of rows without a value, 0 to 1.
        distinct: different values, NULL apart.
        low, high: least and greatest value; of text too.
        codes: the values with how often they occur, if there are few of them.
        samples: some values as text, to judge what they are.
    """

    name: str
    kind: str
    nulls: float
    distinct: int
    low: Any
    high: Any
    codes: dict[str, int] = field(default_factory=dict)
    samples: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        return self.kind == "VARCHAR"

    @property
    def is_number(self) -> bool:
        return self.kind.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or self.is_whole

    @property
    def is_whole(self) -> bool:
        return self.kind.endswith(("INT", "INTEGER"))

    @property
    def is_moment(self) -> bool:
        return self.kind == "DATE" or self.kind.startswith("TIMESTAMP")

    @property
    def is_complete(self) -> bool:
        return self.nulls == 0


@dataclass(frozen=True)
class FeedProfile:
    """One feed: where it was found, its columns by name, and the keys that hold in it, shortest first.

    Attributes:
        rejected: lines that are no row.
        twins: rows that are like an earlier one in all complete columns; counted where no key was found.
    """

    found: FoundFeed
    rows: int
    columns: dict[str, ColumnProfile]
    keys: tuple[tuple[str, ...], ...]
    rejected: int = 0
    twins: int = 0


def profile(con: duckdb.DuckDBPyConnection, found: FoundFeed, folder: Path) -> FeedProfile:
    """Read the files of a feed whole and describe them.

    Raises:
        FeedError: its files can't be read, or differ in shape.
    """
    return describe(con, found, open_files(con, _as_text(found), folder, {}))


def describe(con: duckdb.DuckDBPyConnection, found: FoundFeed, opened: Opened) -> FeedProfile:
    """Describe the rows of an opened feed."""
    columns = {name: _column(con, opened, found, name) for name in opened.columns}
    rows = sql.scalar(con, f"select count(*) from {opened.relation}")
    rejected = sql.scalar(con, f"select count(*) from {opened.rejects}") if opened.rejects else 0
    keys = tuple(_keys(con, opened, columns, rows))
    return FeedProfile(found, rows, columns, keys, rejected, 0 if keys else _twins(con, opened, columns, rows))


def _as_text(found: FoundFeed) -> Feed:
    """The feed as far as it is known: enough to open its files, with every column of a text file as text."""
    return Feed.model_validate(
        {
            "source": "draft",
            "name": found.name,
            "path": found.path,
            "class": "transactional",
            "canonical": "order_lines",
            "extract": "snapshot",
            "key": ["unknown"],
            "csv": found.csv,
            "columns": {"unknown": "VARCHAR"},
        }
    )


def _column(con: duckdb.DuckDBPyConnection, opened: Opened, found: FoundFeed, name: str) -> ColumnProfile:
    column, relation = sql.quote(name), opened.relation
    kind = opened.columns[name]
    if found.is_text:
        kind = _text_type(con, relation, column)
    elif name in found.numerics:
        kind = _decimal(con, relation, column)
    value = f"cast({column} as {kind})"
    counted = con.execute(
        f"select count(*), count({column}), count(distinct {value}), min({value}), max({value}) from {relation}"
    ).fetchone()
    rows, filled, distinct, low, high = counted or (0, 0, 0, None, None)
    codes = {}
    if 0 < distinct <= CODES:
        codes = dict(
            con.execute(
                f"select cast({value} as varchar), count(*) from {relation} where {column} is not null"
                " group by 1 order by 2 desc, 1"
            ).fetchall()
        )
    samples = con.execute(
        f"select distinct cast({column} as varchar) from (select {column} from {relation}"
        f" where {column} is not null limit 2000) limit 200"
    ).fetchall()
    return ColumnProfile(
        name=name,
        kind=kind,
        nulls=1 - filled / rows if rows else 0,
        distinct=distinct,
        low=low,
        high=high,
        codes=codes,
        samples=tuple(row[0] for row in samples),
    )


def _text_type(con: duckdb.DuckDBPyConnection, relation: str, column: str) -> str:
    """The strictest type that reads every value without changing it; text for a column without any value.

    A number with zeros in front is a code: read as a number, 007 would become 7.
    """
    con.execute(
        f"create or replace temp table seen as select distinct {column} as v from {relation} where {column} is not null"
    )

    def some(condition: str) -> bool:
        return con.execute(f"select 1 from seen where {condition} limit 1").fetchone() is not None

    if not some("true"):
        return "VARCHAR"
    may_be_number = not some("regexp_matches(v, '^[+-]?0[0-9]')")
    for kind in TEXT_TYPES:
        if kind in NUMBERS and not may_be_number:
            continue
        if kind == "BOOLEAN" and some("lower(trim(v)) not in ('true', 'false')"):
            continue
        if not some(unreadable("v", kind)):
            zoned = kind == "TIMESTAMP" and not some(f"not regexp_matches(v, '{ZONED}')")
            return "TIMESTAMP WITH TIME ZONE" if zoned else kind
    return "VARCHAR"


def _decimal(con: duckdb.DuckDBPyConnection, relation: str, column: str) -> str:
    """The narrower decimal that holds every value; text if none does."""
    for kind in ("DECIMAL(19,4)", "DECIMAL(28,12)"):
        if not sql.scalar(con, f"select count(*) from {relation} where {unreadable(column, kind)}"):
            return kind
    return "VARCHAR"


def _keys(
    con: duckdb.DuckDBPyConnection, opened: Opened, columns: dict[str, ColumnProfile], rows: int
) -> Iterator[tuple[str, ...]]:
    """Sets of columns that identify a row, none of which holds another: single ones first."""
    if not rows:
        return
    usable = [c for c in columns.values() if c.is_complete and _may_identify(c)]
    # every set costs a scan: the columns with most values are the likeliest
    likeliest = sorted(usable, key=lambda column: -column.distinct)[:MOST_COLUMNS]
    usable = [column for column in usable if column in likeliest]
    found: list[tuple[str, ...]] = []
    for width in range(1, WIDEST_KEY + 1):
        for chosen in combinations(usable, width):
            names = tuple(column.name for column in chosen)
            if any(set(key) <= set(names) for key in found) or not _enough_values(chosen, rows):
                continue
            if width == 1 or _is_unique(con, opened.relation, names, rows):
                found.append(names)
                yield names


def _may_identify(column: ColumnProfile) -> bool:
    """Ids, codes, dates; no amounts and no free text, which are unique by chance."""
    named = bool(KEY_NAME.search(plain_name(column.name)))
    return named or column.kind == "DATE" or (column.is_text and bool(column.codes))


def _enough_values(columns: tuple[ColumnProfile, ...], rows: int) -> bool:
    product = 1
    for column in columns:
        product *= column.distinct
    return product >= rows


def _is_unique(con: duckdb.DuckDBPyConnection, relation: str, names: tuple[str, ...], rows: int) -> bool:
    return _different(con, relation, names) == rows


def _twins(con: duckdb.DuckDBPyConnection, opened: Opened, columns: dict[str, ColumnProfile], rows: int) -> int:
    complete = tuple(name for name, column in columns.items() if column.is_complete)
    return rows - _different(con, opened.relation, complete) if complete else 0


def _different(con: duckdb.DuckDBPyConnection, relation: str, names: tuple[str, ...]) -> int:
    return int(sql.scalar(con, f"select count(*) from (select distinct {sql.names(names)} from {relation})"))
