"""Searching every file of a folder for values: its bytes, and what its Parquet and DuckDB files hold unpacked."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb


def files_holding(folder: Path, values: Iterable[str]) -> dict[Path, set[str]]:
    """File -> those of the values that are in it, however it is packed and whatever its case."""
    wanted = {value: value.lower() for value in values}
    found: dict[Path, set[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        texts = [path.read_bytes().decode("latin-1").lower(), *(text.lower() for text in _unpacked(path))]
        if held := {value for value, lower in wanted.items() if any(lower in text for text in texts)}:
            found[path] = held
    return found


def _unpacked(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        with duckdb.connect() as con:
            for row in con.execute(f"select * from read_parquet('{path}')").fetchall():
                yield str(row)
    elif path.suffix == ".duckdb":
        with tempfile.TemporaryDirectory() as aside, duckdb.connect() as con:
            copy = shutil.copy(path, aside)  # a writer may hold the file itself
            con.execute(f"attach '{copy}' as found (read_only)")
            tables = con.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'found'"
            ).fetchall()
            for schema, table in tables:
                for row in con.execute(f'select * from found."{schema}"."{table}"').fetchall():
                    yield str(row)
    elif path.suffix == ".db":
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as lite:
            yield "\n".join(lite.iterdump())
