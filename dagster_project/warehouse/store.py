"""Where a load's tables are built and served: a DuckDB file a release."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import duckdb

from dagster_project.landing import sql
from dagster_project.settings import Settings
from dagster_project.warehouse import dbt, personal
from dagster_project.warehouse.ledger import Ledger
from dagster_project.warehouse.personal import STORAGE
from dagster_project.warehouse.plan import Plan
from dagster_project.warehouse.reconciliation import Reader
from dagster_project.warehouse.releases import DUCKDB, FILE, Release, Releases, copy_file


class Store(Protocol):
    """What a load asks of the engine it builds on."""

    engine: str
    releases: Releases
    folder: Path
    made_by: str  # of the engine's own macros; see make_plan

    def begin(self, plan: Plan) -> None:
        """Start from the tables of the base release, or from nothing."""

    def copy_ledger(self) -> None:
        """Bring the schema `ops` up to date."""

    def build(self, plan: Plan, on_node: Callable[[str, str, str], None] | None) -> list[dbt.NodeResult]:
        """Run dbt; one result a node, failed ones too."""

    def reading(self) -> contextlib.AbstractContextManager[Reader]:
        """Ask what was built."""

    def seal(self, load: dict[str, Any], release: dict[str, Any]) -> dict[str, Any]:
        """Write the last of `ops` and close the build; returns what a Release says of its tables and files."""

    def publish(self, release: Release) -> Path:
        """Verify what was sealed and serve it."""

    def prune(self, keep: int) -> None:
        """Keep the last releases only."""

    def discard(self) -> None:
        """Let go of everything that was opened; what was not published is removed by the next load."""


class DuckStore:
    """A build folder with warehouse.duckdb, and pii.duckdb where there is personal data."""

    engine = DUCKDB
    made_by = ""  # the models depend on its macros, so they are in each table's fingerprint

    def __init__(self, settings: Settings, load_id: str, ledger: Ledger) -> None:
        self.settings, self.ledger = settings, ledger
        self.releases = Releases(settings.releases, settings.warehouse)
        self.folder = settings.build / load_id
        self._is_grown = False

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def begin(self, plan: Plan) -> None:
        self.settings.build.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700)
        base = self.releases.folder(plan.base.release) if plan.base else None
        self._is_grown = base is not None
        if base:
            copy_file(base / FILE, self.file)
        if plan.variables["pii"]:
            personal.begin(self.folder, base)

    def copy_ledger(self) -> None:
        with duckdb.connect(str(self.file), config=sql.CONFIG | ({} if self._is_grown else STORAGE)) as con:
            self.ledger.copy_into(con)

    def build(self, plan: Plan, on_node: Callable[[str, str, str], None] | None) -> list[dbt.NodeResult]:
        return dbt.build(self.settings, self.folder, plan.variables, on_node)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Reader]:
        with duckdb.connect(str(self.file), read_only=True, config=sql.CONFIG) as con:
            yield con

    def seal(self, load: dict[str, Any], release: dict[str, Any]) -> dict[str, Any]:
        with duckdb.connect(str(self.file), config=sql.CONFIG) as con:
            self.ledger.copy_into(con)
            changed = ", ".join(f"{name} = ?" for name in load if name != "load_id")
            values = [value for name, value in load.items() if name != "load_id"]
            con.execute(f"update ops.load set {changed} where load_id = ?", [*values, load["load_id"]])
            release = release | {"file_bytes": self.file.stat().st_size}  # as of now; the ledger's is exact
            con.execute(
                f"insert into ops.release ({', '.join(release)}) values ({', '.join('?' * len(release))})",
                list(release.values()),
            )
            tables = con.execute(
                "select schema_name || '.' || table_name from duckdb_tables()"
                " where database_name = current_database() and not internal order by 1"
            ).fetchall()
            counts = {name: sql.scalar(con, f"select count(*) from {name}") for (name,) in tables}
            con.execute("checkpoint")
        return {
            "tables": counts,
            "pii_tables": personal.seal(self.folder),
            "file_bytes": self.file.stat().st_size,
        }

    def publish(self, release: Release) -> Path:
        personal.verify(self.folder, release.pii_tables)
        return self.releases.publish(self.folder, release)

    def keep_beside(self, release: Release, name: str) -> Path:
        """Keep the sealed build as what was known after the load `name`; the releases don't see it."""
        personal.verify(self.folder, release.pii_tables)
        target = self.settings.home / "as_of" / name
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(self.settings.home.stat().st_mode & 0o777)
        self.folder.rename(target)
        return target / FILE

    def prune(self, keep: int) -> None:
        self.releases.prune(keep)

    def discard(self) -> None:
        """Nothing is held open between the steps."""
