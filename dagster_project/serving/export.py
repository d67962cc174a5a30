"""Files for those who get no connection: what a role may see of a release, as DuckDB, Parquet or CSV.

A role that sees no cell of few people gets the grains of the cube as it would be answered (`olap`), marts that count
people with small cells and their companions hidden, what describes things and days, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from dagster_project.errors import ClienteleError
from dagster_project.landing import sql
from dagster_project.landing.sql import literal, quote
from dagster_project.olap.cube import Cube
from dagster_project.olap.dictionary import Policy, found
from dagster_project.serving.access import DESCRIBES, access
from dagster_project.serving.tables import Table, served_tables
from dagster_project.settings import Settings
from dagster_project.warehouse.releases import FILE, Release, releases_of

if TYPE_CHECKING:
    import pyarrow as pa

PERSONS = frozenset({"mastered_customer_key", "customer_key", "customer_durable_key", "customer_id"})
# Columns of marts that count the people of a row
PEOPLE = frozenset(
    {"customers", "cohort_customers", "buyers", "people_contacted", "people_held_out", "responders", "redeemers",
     "treated_people", "comparison_people", "churned_customers"}
)  # fmt: skip
MOST_LEVELS = 6
SUPPRESSED = "suppressed"


class Format(StrEnum):
    """What files are written."""

    DUCKDB = "duckdb"
    PARQUET = "parquet"
    CSV = "csv"


@dataclass
class Exported:
    """What was written.

    Attributes:
        left_out: table -> why the role does not get it.
    """

    release: str
    load_date: str
    role: str
    folder: str
    tables: dict[str, int] = field(default_factory=dict)
    hidden_cells: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def export(settings: Settings, folder: Path, role: str, format_: Format, facts: str = "") -> Exported:
    """Write what a role may see of the served release into a folder that is not there yet, or is empty.

    Args:
        facts: names of facts to write besides, separated by commas; `all` for all.

    Raises:
        ClienteleError: nothing is served, the folder holds something, or there is no such role.
    """
    release = releases_of(settings).current()
    if release is None:
        raise ClienteleError("there is no warehouse yet to export", remedy="run: clientele load")
    if folder.exists() and any(folder.iterdir()):
        raise ClienteleError(f"{folder} is not empty", remedy="name a folder that is not there yet")
    file = settings.releases / release.release / FILE
    with closing(Cube.open(file, role=role)) as cube, duckdb.connect(config=sql.CONFIG) as con:
        con.execute(f"attach {literal(file)} as warehouse (read_only)")
        con.execute("use warehouse")
        policy = found(cube.dictionary.policies, role, "role")
        manifest = json.loads((file.parent / "target" / "manifest.json").read_text(encoding="utf-8"))
        folder.mkdir(parents=True, exist_ok=True)
        done = Exported(release.release, release.load_date.isoformat(), role, str(folder))
        writer = _Writer(con, folder, format_)
        for table in served_tables(con, manifest, facts, named_by="--facts"):
            _write(table, policy, cube, con, writer, done)
        if policy.min_customers:
            for name, cells in _grains(cube):
                con.register("cells", cells)
                done.hidden_cells[name] = sum(cells[SUPPRESSED].to_pylist())
                done.tables[name] = writer.write(name, "select * from cells")
                con.unregister("cells")
    _about(folder, done, release)
    return done


def _write(
    table: Table, policy: Policy, cube: Cube, con: duckdb.DuckDBPyConnection, writer: _Writer, done: Exported
) -> None:
    """A table as the policy leaves it, or the reason why it is left out."""
    condition = access(table, policy.name, cube.dictionary).condition
    columns = {column.name for column in table.columns}
    if condition is None:
        done.left_out[table.name] = f"its rows can't be told by: {policy.where}"
        return
    query = f"select * from {table.name}" + (f" where {condition}" if condition else "")
    if policy.min_customers and columns & PERSONS:
        done.left_out[table.name] = f"a row a person; the role sees no cell of fewer than {policy.min_customers}"
        return
    if policy.min_customers and table.name.startswith("cube.") and table.name != "cube.catalog":
        done.left_out[table.name] = "cells of all sizes; the grains are written as the cube answers them"
        return
    if policy.min_customers and columns & PEOPLE:
        cells = _without_small(con.sql(query).to_arrow_table(), table, policy.min_customers)
        con.register("cells", cells)
        done.hidden_cells[table.name] = sum(cells[SUPPRESSED].to_pylist())
        done.tables[table.name] = writer.write(table.name, "select * from cells")
        con.unregister("cells")
        return
    if policy.min_customers and not table.name.startswith(DESCRIBES):
        done.left_out[table.name] = "it does not say of how many people its rows are"
        return
    done.tables[table.name] = writer.write(table.name, query)


def _without_small(rows: pa.Table, table: Table, least: int) -> pa.Table:
    """Measures of rows of few people NULL, and of as many more as they could be worked out from."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from dagster_project.olap.small_cells import Cells

    kinds = {column.name: column.kind for column in table.columns}
    named = [name for name, kind in kinds.items() if kind in {"VARCHAR", "DATE"}][:MOST_LEVELS]
    levels = list(table.key) or named
    codes = np.column_stack(
        [np.zeros(rows.num_rows, np.int64)]
        + [
            np.unique(rows[name].cast(pa.string()).fill_null("").to_numpy(False), return_inverse=True)[1]
            for name in levels
        ]
    )[:, 1:]
    people = [rows[name].cast(pa.int64()).fill_null(0).to_numpy() for name in kinds if name in PEOPLE]
    hidden = pa.array(Cells(codes, people, least).hidden)
    for place, name in enumerate(rows.column_names):
        column = rows.column(place)
        if name not in levels and not kinds[name].startswith(("VARCHAR", "DATE", "BOOLEAN")):
            rows = rows.set_column(place, name, pc.if_else(hidden, pa.scalar(None, column.type), column))
    return rows.append_column(SUPPRESSED, hidden)


def _grains(cube: Cube) -> Iterator[tuple[str, pa.Table]]:
    """Each grain of the cube as the role is answered: simple metrics by its levels."""
    simple = {
        metric.definition["measure"]: metric.name
        for metric in cube.dictionary.metrics.values()
        if metric.type == "simple" and "measure" in metric.definition
    }
    for source in cube.dictionary.sources.values():
        for rollup in source.rollups:
            if not rollup.grain:
                continue
            metrics = [simple[name] for name in (*rollup.summed, *rollup.exact) if name in simple]
            by = [f"calendar.{rollup.period}"] if rollup.period != "all" else []
            yield f"cube.{rollup.name}", cube.query(metrics, by=[*by, *rollup.levels]).arrow()


class _Writer:
    """Tables into one DuckDB file, or files of one kind in a folder a schema."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, format_: Format) -> None:
        self.con, self.folder, self.format = con, folder, format_
        if format_ is Format.DUCKDB:
            con.execute(f"attach {literal(folder / FILE)} as exported (storage_version 'v1.5.0')")

    def write(self, name: str, query: str) -> int:
        schema, table = name.split(".")
        if self.format is Format.DUCKDB:
            self.con.execute(f"create schema if not exists exported.{schema}")
            target = f"exported.{schema}.{quote(table)}"
            self.con.execute(f"create table {target} as {query}")
            return self._count(target)
        (self.folder / schema).mkdir(exist_ok=True)
        path = self.folder / schema / f"{table}.{self.format.value}"
        options = "format parquet, compression zstd" if self.format is Format.PARQUET else "format csv, header"
        self.con.execute(f"copy ({query}) to {literal(path)} ({options})")
        return self._count(f"({query})")

    def _count(self, relation: str) -> int:
        # fetched whole: a result that is begun keeps the connection from `sql`
        return int(self.con.execute(f"select count(*) from {relation}").fetchall()[0][0])


def _about(folder: Path, done: Exported, release: Release) -> None:
    about: dict[str, Any] = asdict(done) | {"published_at": release.published_at}
    (folder / "export.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
