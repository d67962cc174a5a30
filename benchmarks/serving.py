"""The PostgreSQL store: a full sync against a bare copy of the same rows, and a night's against what it changed."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from benchmarks.context import Bound, Context, Part
from benchmarks.data import link_files
from benchmarks.home import Home
from benchmarks.measure import BenchmarkError, run_measured, tell
from tests.support.postgres import Server, Unavailable

LAST_DAY = date(2017, 12, 30)
ROWS = 100_000  # a record batch, as a sync sends them
BOUND = 3.0


def run(context: Context) -> Part:
    part = Part("The PostgreSQL store")
    home = Home(context.work / "serving", link_files(context.data, context.work / "serving-data"))
    try:
        server = Server()
    except Unavailable as error:
        part.skipped = str(error)
        return part
    try:
        home.load(LAST_DAY)
        full, bare, rows = [], [], 0
        for _ in range(context.repeat):
            full.append(_synced(home, server.dsn(server.database()), "sync"))
            rows = int(full[-1]["rows_sent"])
            bare.append(_copied(home, server))
            tell(f"serving: full sync {full[-1]['seconds']:.1f} s, bare copy {bare[-1]:.1f} s")
        database = server.dsn(server.database())
        _synced(home, database, "sync")
        home.load(LAST_DAY + timedelta(days=1))
        night = _synced(home, database, "sync")
        again = _synced(home, database, "sync")
    finally:
        server.stop()
    whole, copied = (statistics.median(float(run["seconds"]) for run in full), statistics.median(bare))
    part.bounds.append(
        Bound("full sync against a bare ADBC copy of the same rows", round(whole / copied, 2), BOUND, unit="x")
    )
    part.table(
        "All tables, facts too (seconds)",
        [
            {"what": "full sync into an empty database", "rows sent": rows, "seconds": round(whole, 2)},
            {"what": "bare copy: create and COPY, no keys, no indexes", "rows sent": rows, "seconds": round(copied, 2)},
            {"what": "a night", "rows sent": night["rows_sent"], "seconds": night["seconds"]},
            {"what": "the same night again", "rows sent": again["rows_sent"], "seconds": again["seconds"]},
        ],
    )
    part.remarks += [
        "A sync reads the release, sums its parts, sends rows, makes keys, indexes, comments and statistics, and counts"
        " what came. The bare copy sends the same tables in the same batches through the same driver.",
        f"A night of {LAST_DAY + timedelta(days=1)} sends the parts it changed: months, and remainders of keys.",
    ]
    return part


def _synced(home: Home, dsn: str, command: str) -> dict[str, float]:
    environment = home.environment() | {"CLIENTELE_PG_DSN": dsn, "CLIENTELE_PG_FACTS": "all"}
    done = run_measured([sys.executable, "-m", "dagster_project", "serve", command, "--json"], environment)
    found: dict[str, float] = json.loads(done.out)
    return found


def _copied(home: Home, server: Server) -> float:
    """Seconds of sending every table of the store from the release into an empty database."""
    with _sent_before(server) as tables, adbc.connect(server.dsn(server.database())) as connection:
        began = time.perf_counter()
        with duckdb.connect(str(home.warehouse.resolve()), read_only=True) as con, connection.cursor() as cursor:
            for name in tables:
                rows = con.sql(f"select * from {name}").to_arrow_reader(ROWS)
                cursor.adbc_ingest(name.replace(".", "_"), rows, mode="create")
        connection.commit()
        return time.perf_counter() - began


@contextmanager
def _sent_before(server: Server) -> Iterator[list[str]]:
    """The tables of the last sync."""
    (database,) = server.ask("select datname from pg_database where datname like 'shop_%' order by oid desc limit 1")[0]
    names = [name for (name,) in server.ask("select name from clientele.served_table order by 1", database)]
    if not names:
        raise BenchmarkError("the sync before sent nothing")
    yield names
