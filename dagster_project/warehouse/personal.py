"""`pii.duckdb`: the personal data of a release, in a file of its own that only its owner can read."""

from __future__ import annotations

import stat
from pathlib import Path

import duckdb

from dagster_project.errors import LoadError
from dagster_project.landing import sql
from dagster_project.warehouse.releases import PII_FILE, copy_file, private_file

# A DuckDB file of this storage version can be read by clients from 1.5 on; 2.0's own can't.
STORAGE = {"storage_compatibility_version": "v1.5.0"}


def begin(build: Path, base: Path | None) -> None:
    """Put the file into the build's folder, before dbt opens it: the base release's, or an empty one.

    Args:
        build, base: folders of the build and of the release it grows from.
    """
    file = build / PII_FILE
    if base and (base / PII_FILE).exists():
        private_file(file)
        copy_file(base / PII_FILE, file)
        return
    with duckdb.connect(str(file), config=sql.CONFIG | STORAGE):
        """Made empty; the folder is closed to others until the build is done."""
    file.chmod(0o600)


def seal(build: Path) -> dict[str, int]:
    """Checkpoint and close the file; rows per table, nothing where the build has no personal data."""
    file = build / PII_FILE
    if not file.exists():
        return {}
    with duckdb.connect(str(file), config=sql.CONFIG) as con:
        con.execute("checkpoint")
        return _counted(con)


def verify(folder: Path, expected: dict[str, int]) -> None:
    """Reopen the file and compare what is in it and who may read it with what was sealed.

    Raises:
        LoadError: it is not what was written, or others may read it.
    """
    file = folder / PII_FILE
    if not expected and not file.exists():
        return
    if not file.exists() or file.with_name(file.name + ".wal").exists():
        raise LoadError(f"{file} is missing or was not closed", remedy="run the load again")
    if stat.S_IMODE(file.stat().st_mode) != 0o600:
        raise LoadError(f"{file} can be read by others than its owner", remedy="run the load again")
    with duckdb.connect(str(file), read_only=True, config=sql.CONFIG) as con:
        if (found := _counted(con)) != expected:
            raise LoadError(
                f"{PII_FILE} has {found} rows in the reopened build, {expected} were written",
                remedy="check the disk (`clientele doctor`) and run the load again",
            )


def _counted(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = con.execute(
        "select table_name from duckdb_tables() where database_name = current_database() and not internal order by 1"
    ).fetchall()
    return {name: sql.scalar(con, f"select count(*) from {sql.quote(name)}") for (name,) in tables}
