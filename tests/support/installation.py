"""An installation of its own for a test: home, sources and the command line, as a user has them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class Finished:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Installation:
    """One home with its own copy of the source's files, used through the command line only.

    Args:
        home: CLIENTELE_HOME.
        data: folder of complete_journey's files; edit them to change what the source says.
    """

    home: Path
    data: Path
    env: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLIENTELE_", "DAGSTER_", "DBT_"))}
        own = {"CLIENTELE_HOME": str(self.home), "COMPLETE_JOURNEY_DIR": str(self.data), "COLUMNS": "200"}
        return kept | own | self.env

    def run(self, *args: str, check: int | None = None, timeout: int = 300) -> Finished:
        """Run `clientele ARGS`; `check` asserts the exit code."""
        done = subprocess.run(
            self.command(*args),
            capture_output=True,
            text=True,
            env=self.environment(),
            cwd=PROJECT,
            timeout=timeout,
            check=False,
        )
        finished = Finished(done.returncode, done.stdout, done.stderr)
        if check is not None:
            assert finished.code == check, f"exit {finished.code}\n{finished.text}"
        return finished

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "dagster_project", *args]

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start a command without waiting for it."""
        return subprocess.Popen(
            self.command(*args),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            cwd=PROJECT,
        )

    def load(self, day: str | None = None, *options: str, check: int | None = 0) -> dict[str, Any]:
        """`clientele load --json`; returns its report."""
        date = ["--date", day] if day else []
        report: dict[str, Any] = self.run("load", *date, *options, "--json", check=check).json
        return report

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the served warehouse, read-only, as an analyst's client would."""
        with duckdb.connect(str(self.warehouse.resolve()), read_only=True) as con:
            return con.execute(query).fetchall()

    def edit(self, file: str, *statements: str) -> None:
        """Change a source's Parquet file by SQL on the table `t`."""
        path = self.data / file
        with duckdb.connect() as con:
            con.execute(f"create table t as select * from '{path}'")
            for statement in statements:
                con.execute(statement)
            con.execute(f"copy t to '{path}' (format parquet)")

    def copy(self, home: Path) -> Installation:
        """The same installation, copied: what happens there does not touch this one."""
        shutil.copytree(self.home, home, symlinks=True)
        data = home.parent / f"{home.name}-data"
        shutil.copytree(self.data, data)
        return Installation(home, data, dict(self.env))


def tables(installation: Installation, *schemas: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table and view of the schemas, sorted, without audit keys and load ids."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect(str(installation.warehouse.resolve()), read_only=True) as con:
        wanted = ", ".join(f"'{schema}'" for schema in schemas)
        listed = con.execute(
            "select table_schema || '.' || table_name, list(column_name order by ordinal_position)"
            f" from information_schema.columns where table_schema in ({wanted}) group by all order by all"
        ).fetchall()
        for name, columns in listed:
            if name == "star.dim_audit":
                continue
            kept = ", ".join(c for c in columns if c not in {"audit_key", "load_id"})
            found[name] = con.execute(f"select {kept} from {name} order by all").fetchall()
    return found


def assert_same_tables(
    left: Installation, right: Installation, schemas: Sequence[str] = ("star", "cube", "mart")
) -> None:
    """Both warehouses hold the same rows in every table of the schemas."""
    one, other = tables(left, *schemas), tables(right, *schemas)
    assert one.keys() == other.keys()
    for name, rows in one.items():
        assert rows == other[name], f"{name} differs: {len(rows)} and {len(other[name])} rows"
