"""Small helpers that compose SQL safely, and the one way this package connects to DuckDB."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

# No extension may be fetched at run time; everything is read and stored in UTC.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "true",
    "preserve_insertion_order": "true",
    "TimeZone": "UTC",
}


def scratch(folder: Path, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """An in-memory database that spills into `folder`."""
    return duckdb.connect(
        config=CONFIG | {"memory_limit": memory_limit, "threads": threads, "temp_directory": str(folder)}
    )


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def names(columns: Iterable[str], alias: str = "") -> str:
    """The columns as a select list, each qualified by the alias."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + quote(column) for column in columns)


def parquet(paths: Iterable[Path]) -> str:
    """A relation over exactly these files (an explicit list: 1 ms where a glob over 2,000 takes 20).

    The names of their folders are no columns: else `load=<id>/` would bring a column `load`.
    """
    return f"read_parquet([{', '.join(literal(path) for path in paths)}], hive_partitioning = false)"


def same(columns: Iterable[str], left: str, right: str) -> str:
    """Two rows are the same in every column, NULL equal to NULL."""
    return " and ".join(f"{left}.{quote(column)} is not distinct from {right}.{quote(column)}" for column in columns)


def equal_keys(columns: Iterable[str], left: str, right: str) -> str:
    return " and ".join(f"{left}.{quote(column)} = {right}.{quote(column)}" for column in columns)


def scalar(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single integer a query yields."""
    row = con.execute(query).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
