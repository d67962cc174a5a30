"""Suites of built tables: `expectations/<schema>/<table>.json`, judged between dbt's run and the publish.

dbt tests keys, references and arithmetic; a suite says what values and shares make sense to the business.
"""

from __future__ import annotations

from dagster_project.errors import ConfigurationError
from dagster_project.quality.results import CheckResult
from dagster_project.quality.suite import load_table_suite
from dagster_project.quality.table import Table
from dagster_project.quality.worker import gate_worker
from dagster_project.settings import Settings
from dagster_project.warehouse.dbt import read_manifest
from dagster_project.warehouse.fingerprints import Manifest, published
from dagster_project.warehouse.load import Load
from dagster_project.warehouse.store import DuckStore

LANDING = "landing"  # suites of feeds, by source


def table_suites(settings: Settings, parsed: Manifest) -> list[Table]:
    """Tables that have a suite, in the order of their names.

    Raises:
        ConfigurationError: a suite is of no published table of the dbt project, or is wrong in itself.
    """
    known = published(parsed)
    files = sorted(settings.expectations_dir.glob("*/*.json"))
    tables = [Table(file.parent.name, file.stem, file) for file in files if file.parent.name != LANDING]
    for table in tables:
        if str(table) not in known:
            raise ConfigurationError(
                f"suite {table.suite}: dbt builds no table {table}",
                remedy="name folder and file as the table's schema and name, or remove the suite",
            )
        load_table_suite(table.suite)
    return tables


def check_tables(load: Load) -> list[CheckResult]:
    """Judge what dbt built; every result goes to the ledger, and `load.prove` minds it.

    A table that dbt left out, as no enabled source fills it, is skipped. In the gate's process: Great Expectations is
    imported there already. On DuckDB only: the gate reads the build's file, and Spark has none; both engines build the
    same tables.

    Raises:
        ConfigurationError: a mistake in a suite that only its table shows. ClienteleError: the gate's process died.
    """
    if not isinstance(load.store, DuckStore):
        return []
    built = {node.name for node in load.nodes if node.ok and node.resource_type in {"model", "seed"}}
    due = [table for table in table_suites(load.settings, read_manifest(load.settings)) if table.name in built]
    if due:
        docs = load.settings.home / "quality" / "docs"
        with load.stage("expectations"):
            load.checks = gate_worker().check_tables(load.store.file, due, load=load.load_id, docs_dir=docs)
    for check in load.checks:
        load.ledger.write("quality_result", load.load_id, **check.as_record())
    return load.checks
