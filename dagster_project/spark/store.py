"""Releases on Spark: databases of their own a load, directories shared with the release they grew from.

`<schema>__<release>` holds a release's tables, `<schema>` the views that users read. The views are switched one after
the other, so for some seconds a reader may see tables of two releases; a load killed meanwhile is finished by the next.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import LoadError
from dagster_project.landing import sql
from dagster_project.landing.manifest import sync_folder, write_durably
from dagster_project.settings import Settings
from dagster_project.spark.session import Spark, dbt_environment, open_spark
from dagster_project.warehouse import dbt
from dagster_project.warehouse.fingerprints import models, project_fingerprint
from dagster_project.warehouse.ledger import TABLES, Ledger
from dagster_project.warehouse.plan import Plan
from dagster_project.warehouse.releases import ABOUT, SPARK, Release, releases_of

PUBLISHED = ("star", "cube", "mart", "ops")
BUILD_ONLY = ("staging", "canonical", "intermediate")
SWITCHING = "switching"
MONTH = "partition_month"
# of the ledger's columns
SPARK_TYPES = {"varchar": "string", "timestamp": "timestamp_ntz"}


class Answer:
    """What a query gave, asked for as of DuckDB."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


class SparkStore:
    """One load's tables on Spark."""

    engine = SPARK

    def __init__(self, settings: Settings, load_id: str, ledger: Ledger) -> None:
        self.settings, self.load_id, self.ledger = settings, load_id, ledger
        self.releases = releases_of(settings, SPARK)
        self.folder = settings.build / load_id
        self.made_by = "-" + project_fingerprint(settings.dbt_dir / "engines" / "spark")[:8]
        self._spark: Spark | None = None

    @property
    def spark(self) -> Spark:
        if self._spark is None:
            self._spark = open_spark(self.settings)
        return self._spark

    def begin(self, plan: Plan) -> None:
        """Make the release's databases, with the tables of the base that are not rebuilt: same directories, no copy."""
        self.folder.mkdir(parents=True, mode=0o700)
        self._tidy()
        for schema in (*PUBLISHED, *BUILD_ONLY):
            self.spark.rows(f"create database if not exists {database(schema, self.load_id)}")
        if plan.base:
            for name in plan.base.tables:
                if name.partition(".")[2] not in plan.rebuild and not name.startswith("ops."):
                    self._share(name, plan.base)

    def copy_ledger(self) -> None:
        """Bring the schema `ops` up to date."""
        kept = self.settings.spark / "ledger.duckdb"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(kept), config=sql.CONFIG) as con:
            self.ledger.copy_into(con)
            for table, columns in TABLES.items():
                folder = self.data(self.load_id) / "ops" / table
                folder.mkdir(parents=True, exist_ok=True)
                con.execute(f"copy ops.{table} to {sql.literal(folder / 'part.parquet')} (format parquet)")
                name = f"{database('ops', self.load_id)}.{table}"
                # with columns: to find them out costs Spark a job a table (2.5 s for all, twice a load)
                listed = ", ".join(f"{column} {SPARK_TYPES.get(kind, kind)}" for column, kind in columns.items())
                self.spark.rows(f"create table if not exists {name} ({listed}) using parquet location '{folder}'")
                self.spark.rows(f"refresh table {name}")

    def build(self, plan: Plan, on_node: Callable[[str, str, str], None] | None) -> list[dbt.NodeResult]:
        """Run dbt's target `spark`. There is no personal data on Spark: `pii.duckdb` is DuckDB's."""
        environment = dbt_environment(self.settings) | {"CLIENTELE_SPARK_DATA": str(self.data(self.load_id))}
        variables = plan.variables | {"pii": {}}
        _ = self.spark  # dbt's session is this one, with its catalog and settings
        return dbt.build(
            self.settings,
            self.folder,
            variables,
            on_node,
            target=SPARK,
            environment_of=environment,
            schema_suffix=suffix(self.load_id),
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[SparkStore]:
        yield self

    def execute(self, query: str) -> Answer:
        """Answer a query that names tables as users do, from this load's build."""
        named = re.sub(rf"\b({'|'.join(PUBLISHED)})\.(?=[a-z])", rf"\1{suffix(self.load_id)}.", query)
        return Answer(self.spark.rows(named))

    def seal(self, load: dict[str, Any], release: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - see below
        """Write `ops` as it is at publishing; its rows of this load follow with the next one's."""
        self.copy_ledger()
        rows, files = self.count()
        size = sum(Path(file).stat().st_size for some in files.values() for file in some)
        return {
            "tables": rows,
            "files": files,
            "columns": {name: self._columns(name) for name in rows},
            "file_bytes": size,
        }

    def count(self) -> tuple[dict[str, int], dict[str, list[str]]]:
        """Rows and files of each table of the build, as Spark reads them: one query, for each costs Spark a job."""
        names = {f"{schema}.{table}": database(schema, self.load_id) + "." + table for schema, table in self._built()}
        counts = [
            f"select '{name}', _metadata.file_path, count(*) from {held} group by _metadata.file_path"
            for name, held in names.items()
        ]
        rows, files = dict.fromkeys(names, 0), {name: list[str]() for name in names}
        for name, path, count in self.spark.rows(" union all ".join(counts)):
            rows[name] += count
            files[name].append(_local(path))
        return rows, {name: sorted(some) for name, some in files.items()}

    def publish(self, release: Release) -> Path:
        """Read the files again, by another engine, then point the views that users read at this release."""
        with duckdb.connect(config=sql.CONFIG) as con:
            for name, files in release.files.items():
                listed = ", ".join(sql.literal(file) for file in files)
                found = sql.scalar(con, f"select count(*) from read_parquet([{listed}])") if files else 0
                if found != release.tables[name]:
                    raise LoadError(
                        f"the files of {name} hold {found:,} rows, {release.tables[name]:,} were written",
                        remedy="check the storage and run the load again",
                    )
        for schema in BUILD_ONLY:
            self.spark.rows(f"drop database if exists {database(schema, self.load_id)} cascade")
        write_durably(self.folder / ABOUT, release.to_json())
        self.releases.root.mkdir(parents=True, exist_ok=True)
        target = self.releases.folder(release.release)
        shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("target", "logs"))
        sync_folder(self.releases.root)
        marker = self.settings.spark / SWITCHING
        write_durably(marker, json.dumps(release.release))
        self._switch_views(release.release)
        self.releases.switch(release.release)
        marker.unlink()
        return target / ABOUT

    def prune(self, keep: int) -> None:
        """Drop the databases of releases that go, and the directories that no kept one reads: this load's, too."""
        for release in self.releases.prune(keep):
            self._drop(release)
        self.sweep()

    def discard(self) -> None:
        """Take back what this load made and did not publish, and let Spark go."""
        if self._spark is not None:
            self._spark.close()
            self._spark = None

    def data(self, load_id: str = "") -> Path:
        root = self.settings.spark / "data"
        return root / suffix(load_id).removeprefix("__") if load_id else root

    def _tidy(self) -> None:
        """Finish or take back what a killed load left: views half switched, databases without a release."""
        current = self.releases.current()
        marker = self.settings.spark / SWITCHING
        if marker.exists():
            if current:
                self._switch_views(current.release)
            marker.unlink()
        self.releases.remove_unpublished()
        kept = {suffix(release.release) for release in self.releases.all()}
        for (name,) in self.spark.rows("show databases"):
            left = "__" + str(name).partition("__")[2]
            if str(name).partition("__")[0] in (*PUBLISHED, *BUILD_ONLY) and left != "__" and left not in kept:
                self.spark.rows(f"drop database {name} cascade")
        self.sweep()

    def sweep(self) -> None:
        """Remove what no kept release reads. A pruned release's folder stays while later ones read months in it."""
        kept = self.releases.all()
        used = {Path(file).parent for release in kept for some in release.files.values() for file in some}
        for folder in self.data().glob("*"):
            if not any(directory.is_relative_to(folder) for directory in used):
                shutil.rmtree(folder)
        for directory in {path.parent for path in self.data().rglob("*.parquet")} - used:
            shutil.rmtree(directory)

    def _share(self, name: str, base: Release) -> None:
        """Point a table of this build at the directories of the base, as release.json tells: no catalog is asked."""
        schema, _, table = name.partition(".")
        made = f"{database(schema, self.load_id)}.{table}"
        directories = sorted({str(Path(file).parent) for file in base.files[name]})
        has_months = MONTH in base.columns[name]
        parted = f" partitioned by ({MONTH})" if has_months else ""
        own = str(self.data(self.load_id) / table / "none")
        location = own if has_months or not directories else directories[0]
        self.spark.rows(f"create table {made} ({base.columns[name]}) using parquet{parted} location '{location}'")
        if has_months and directories:
            months = " ".join(f"partition ({MONTH} = '{month_of(where)}') location '{where}'" for where in directories)
            self.spark.rows(f"alter table {made} add {months}")

    def _columns(self, name: str) -> str:
        """A table's columns as they are declared, of the build."""
        schema, _, table = name.partition(".")
        described = self.spark.rows(f"describe {database(schema, self.load_id)}.{table}")
        ends = (number for number, row in enumerate(described) if not row[0] or str(row[0]).startswith("#"))
        return ", ".join(f"{row[0]} {row[1]}" for row in described[: next(ends, len(described))])

    def _built(self) -> list[tuple[str, str]]:
        return [(schema, table) for schema in PUBLISHED for table in self._tables(database(schema, self.load_id))]

    def _tables(self, where: str, kind: str = "tables") -> list[str]:
        views = {str(row[1]) for row in self.spark.rows(f"show views in {where}")}
        if kind == "views":
            return sorted(views)
        return sorted({str(row[1]) for row in self.spark.rows(f"show tables in {where}")} - views)

    def _switch_views(self, release: str) -> None:
        parted = {node["name"] for node in models(dbt.read_manifest(self.settings)).values() if is_parted(node)}
        for schema in PUBLISHED:
            where = database(schema, release)
            self.spark.rows(f"create database if not exists {schema}")
            shown = self._tables(where) + self._tables(where, "views")
            for name in shown:
                listed = "*"
                if name in parted:
                    columns = [str(row[0]) for row in self.spark.rows(f"show columns in {where}.{name}")]
                    listed = ", ".join(f"`{column}`" for column in columns if column != MONTH)
                self.spark.rows(f"create or replace view {schema}.{name} as select {listed} from {where}.{name}")
            for gone in set(self._tables(schema, "views")) - set(shown):
                self.spark.rows(f"drop view {schema}.{gone}")

    def _drop(self, release: str) -> None:
        for schema in PUBLISHED:
            self.spark.rows(f"drop database if exists {database(schema, release)} cascade")


def is_parted(node: dict[str, Any]) -> bool:
    """Whether the table has a directory a month; the same rule as the macro spark_partition_date."""
    is_grown = node["config"]["materialized"] == "incremental"
    return bool(
        (node["config"].get("meta") or {}).get("date_column") or (is_grown and "month_start_date" in node["columns"])
    )


def suffix(load_id: str) -> str:
    """What tells a load's databases apart; names are lower case letters, digits and underscores there."""
    return "__" + load_id.lower().replace("-", "_")


def database(schema: str, load_id: str) -> str:
    return schema + suffix(load_id)


def month_of(directory: str) -> str:
    """2017-03 of …/partition_month=2017-03."""
    return Path(directory).name.removeprefix(f"{MONTH}=")


def _local(location: str) -> str:
    return location.removeprefix("file://").removeprefix("file:")
