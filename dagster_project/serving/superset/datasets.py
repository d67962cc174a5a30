"""Superset's databases and datasets as it imports them: both ways to the warehouse, every table with its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import duckdb
import sqlglot

from dagster_project.olap.dictionary import Dictionary
from dagster_project.serving.superset.metrics import TableMetric, day_of, metrics_over
from dagster_project.serving.tables import MONTHS, Column, served_tables, served_views

NAMESPACE = UUID("7b1a3f0c-52c7-5d0e-9a52-0d6a3c8f6f11")
VERSION = "1.0.0"
SCHEMAS = ("mart.", "cube.", "ops.")
DAYS = (*MONTHS, "as_of_date", "load_date", "started_at")
D3_FORMATS = {"currency": ",.2f", "count": ",d", "ratio": ",.1%", "number": ",.2f"}


@dataclass(frozen=True)
class Connection:
    """A way to the warehouse.

    Attributes:
        key: names the folder of its datasets. uri: SQLAlchemy's, without password. dialect: sqlglot's.
        facts: the facts it holds, as CLIENTELE_PG_FACTS names them.
    """

    key: str
    name: str
    uri: str
    dialect: str
    facts: str

    @property
    def uuid(self) -> str:
        return identity(self.key)

    @property
    def file(self) -> str:
        return f"databases/{self.key}.yaml"

    def as_file(self) -> dict[str, Any]:
        return {
            "database_name": self.name,
            "sqlalchemy_uri": self.uri,
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "allow_file_upload": False,
            "extra": {"allows_virtual_table_explore": True},
            "uuid": self.uuid,
            "version": VERSION,
        }


@dataclass(frozen=True)
class Dataset:
    """A table or view a connection holds, with its metrics and the column its rows are counted by in time."""

    connection: Connection
    name: str
    description: str
    columns: tuple[Column, ...]
    metrics: tuple[TableMetric, ...]
    day: str | None

    @property
    def uuid(self) -> str:
        return identity(self.connection.key, self.name)

    @property
    def file(self) -> str:
        return f"datasets/{self.connection.key}/{self.name}.yaml"

    def as_file(self) -> dict[str, Any]:
        schema, name = self.name.split(".")
        dialect = self.connection.dialect
        return {
            "table_name": name,
            "schema": schema,
            "description": self.description,
            "main_dttm_col": self.day,
            "filter_select_enabled": True,
            "uuid": self.uuid,
            "version": VERSION,
            "database_uuid": self.connection.uuid,
            "columns": [
                {
                    "column_name": column.name,
                    "type": (column.type if dialect == "postgres" else column.kind).upper(),
                    "is_dttm": is_time(column),
                    "groupby": True,
                    "filterable": True,
                    "description": column.description or None,
                }
                for column in self.columns
            ],
            "metrics": [
                {"metric_name": "rows", "verbose_name": "Rows", "expression": "COUNT(*)", "d3format": ",d"},
                *(
                    {
                        "metric_name": metric.name,
                        "verbose_name": metric.label,
                        "description": metric.description,
                        "expression": sqlglot.transpile(metric.sql, read="duckdb", write=dialect)[0],
                        "d3format": D3_FORMATS.get(metric.unit),
                    }
                    for metric in self.metrics
                ),
            ],
        }


def identity(*names: str) -> str:
    """The same for the same names, so that what is brought in again replaces what was."""
    return str(uuid5(NAMESPACE, "/".join(names)))


def is_time(column: Column) -> bool:
    return column.kind == "DATE" or column.kind.startswith("TIMESTAMP")


def datasets_of(
    connection: Connection, con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], dictionary: Dictionary
) -> list[Dataset]:
    """Marts, grains of the cube, and what loads did, as far as the connection holds them.

    Args:
        con: a connection whose default database is the release.
    """
    tables = served_tables(con, manifest, connection.facts)
    found = [(table.name, table.description, table.columns) for table in tables]
    for view in served_views(con, manifest, tables):
        kinds = con.execute(f"select column_name, column_type from (describe {view.name})").fetchall()
        columns = tuple(Column(name, kind, view.columns.get(name, "")) for name, kind in kinds)
        found.append((view.name, view.description, columns))
    return [
        Dataset(
            connection, name, description, columns,
            tuple(metrics_over(name, [column.name for column in columns], dictionary)),
            day_of(name, dictionary) or _first_day(columns),
        )
        for name, description, columns in found
        if name.startswith(SCHEMAS)
    ]  # fmt: skip


def _first_day(columns: Iterable[Column]) -> str | None:
    times = [column.name for column in columns if is_time(column)]
    return next((name for name in DAYS if name in times), times[0] if times else None)
