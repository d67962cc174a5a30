"""All cells of the sales cube made anew or refreshed, by the project's SQL and by others.

`python -m benchmarks.grains SIDE FOLDER` does one of these once in a process of its own and prints its seconds as
JSON. Reading libraries, opening files and getting the data into a side's own format is not counted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.opponents import chdb_all, polars_all

# In the order they are built from each other.
INCREMENTAL = ("sales_base", "sales_store_days", "sales_orders", "sales_customer_months", "sales_month_grains")
TABLES = (*INCREMENTAL, "sales_grains")
MEMORY = "2500MB"


class Clock:
    """Wall and CPU seconds by what was done."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    @contextmanager
    def of(self, name: str) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall
        self.cpu[name] = self.cpu.get(name, 0.0) + time.process_time() - cpu


def rebuild(folder: Path, clock: Clock) -> None:
    """Every table of the cube from the fact, by the SQL that dbt compiled for the load of the whole history."""
    con = _connect(folder)
    for table in TABLES:
        with clock.of(table):
            con.execute(f"create or replace table cube.{table} as {(folder / 'whole' / f'{table}.sql').read_text()}")
    with clock.of("checkpoint"):
        con.execute("checkpoint")


def refresh(folder: Path, clock: Clock) -> None:
    """What a night does: the touched months out and in again, the grains across months anew."""
    con = _connect(folder)
    months = json.loads((folder / "night" / "months.json").read_text())
    touched = " or ".join(f"month_start_date = date '{month}'" for month in months)
    for table in TABLES:
        query = (folder / "night" / f"{table}.sql").read_text()
        with clock.of(table):
            if table in INCREMENTAL:
                con.execute(f"begin; delete from cube.{table} where {touched}")
                con.execute(f"insert into cube.{table} by name {query}")
                con.execute("commit")
            else:
                con.execute(f"create or replace table cube.{table} as {query}")
    with clock.of("checkpoint"):
        con.execute("checkpoint")


def _connect(folder: Path) -> Any:
    import duckdb

    con = duckdb.connect(str(folder / "warehouse.duckdb"), config={"memory_limit": MEMORY, "threads": 2})
    con.execute("select count(*) from star.fct_sales_line").fetchall()
    return con


SIDES: dict[str, Callable[[Path, Clock], None]] = {
    "rebuild": rebuild,
    "refresh": refresh,
    "chdb": chdb_all,
    "polars": polars_all,
}


if __name__ == "__main__":
    measured = Clock()
    SIDES[sys.argv[1]](Path(sys.argv[2]), measured)
    print(json.dumps({"wall": measured.wall, "cpu": measured.cpu}))
