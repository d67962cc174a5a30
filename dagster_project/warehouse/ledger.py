"""The ledger: append-only JSON lines, one file a load, written as things happen, by failed loads too.

Each build copies what it lacks into the schema `ops`; column names and types here are that interface.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.landing import sql
from dagster_project.landing.manifest import Counts, Manifest, append_json_line, read_json_lines

TABLES: dict[str, dict[str, str]] = {
    "load": {
        "load_id": "varchar",
        "load_date": "date",
        "kind": "varchar",
        "engine": "varchar",
        "status": "varchar",
        "started_at": "timestamp",
        "finished_at": "timestamp",
        "release": "varchar",
        "run_id": "varchar",
        "message": "varchar",
    },
    "batch": {
        "load_id": "varchar",
        "source": "varchar",
        "feed": "varchar",
        "canonical": "varchar",
        "load_date": "date",
        "mode": "varchar",
        "outcome": "varchar",
        "rows_read": "bigint",
        "rows_accepted": "bigint",
        "rows_unchanged": "bigint",
        "rows_already_landed": "bigint",
        "rows_quarantined": "bigint",
        "rows_rejected": "bigint",
        "rows_deleted": "bigint",
        "rows_replayed": "bigint",
        "rows_tombstones": "bigint",
        "control_totals": "varchar",
        "source_files": "varchar",
        "seconds": "double",
        "message": "varchar",
    },
    "quality_result": {
        "load_id": "varchar",
        "source": "varchar",
        "feed": "varchar",
        "rule": "varchar",
        "expectation": "varchar",
        "column_name": "varchar",
        "severity": "varchar",
        "success": "boolean",
        "element_count": "bigint",
        "unexpected_count": "bigint",
        "observed": "varchar",
        "message": "varchar",
    },
    "reconciliation": {
        "load_id": "varchar",
        "from_table": "varchar",
        "to_table": "varchar",
        "measure": "varchar",
        "expected": "decimal(28, 4)",
        "actual": "decimal(28, 4)",
        "difference": "decimal(28, 4)",
    },
    "release": {
        "load_id": "varchar",
        "release": "varchar",
        "action": "varchar",
        "released_at": "timestamp",
        "file_bytes": "bigint",
        "rebuilt_tables": "varchar",
    },
    "stage_timing": {
        "load_id": "varchar",
        "stage": "varchar",
        "started_at": "timestamp",
        "seconds": "double",
    },
    "restatement": {
        "load_id": "varchar",
        "feed": "varchar",
        "month": "date",
        "measure": "varchar",
        "change": "decimal(28, 4)",
    },
    "erasure": {
        "load_id": "varchar",
        "customer": "varchar",
        "requested_at": "timestamp",
        "requested_by": "varchar",
        "finished_at": "timestamp",
        "files_rewritten": "bigint",
    },
    "compaction": {
        "load_id": "varchar",
        "source": "varchar",
        "feed": "varchar",
        "month": "date",
        "batches": "bigint",
        "rows_compacted": "bigint",
        "bytes_before": "bigint",
        "bytes_after": "bigint",
        "compacted_at": "timestamp",
    },
}


def now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def new_load_id(last: str | None) -> str:
    """A sortable, unique id that is later than the last one, also when the clock was set back."""
    made = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(2)}"
    if last is None or made > last:
        return made
    stamp = int(last[:8] + last[9:21]) + 1
    return f"{str(stamp)[:8]}T{str(stamp)[8:]}Z-{secrets.token_hex(2)}"


def _encode(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in the ledger")


def batch_figures(counts: Counts, manifest: Manifest | None) -> dict[str, Any]:
    """The columns of ops.batch that say how much: rows by outcome, control totals, source files."""
    totals: dict[str, Decimal] = {}
    for month in (manifest.months if manifest else {}).values():
        for measure, value in month.items():
            totals[measure] = totals.get(measure, Decimal(0)) + Decimal(value)
    return {f"rows_{name}": value for name, value in counts.model_dump().items()} | {
        "control_totals": json.dumps({name: str(value) for name, value in totals.items()}),
        "source_files": json.dumps([place.path for place in ((*manifest.files, *manifest.tables) if manifest else ())]),
    }


class Ledger:
    """The folder of ledger files."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, load_id: str) -> Path:
        return self.root / f"{load_id}.jsonl"

    def write(self, table: str, load_id: str, **values: Any) -> None:
        """Append one record; a kill -9 after this keeps it."""
        unknown = set(values) - set(TABLES[table])
        if unknown:
            raise KeyError(f"ledger table {table} has no columns {sorted(unknown)}")
        append_json_line(self.path(load_id), {"table": table, "load_id": load_id} | values, _encode)

    def loads(self) -> list[str]:
        """Load ids, oldest first."""
        return sorted(path.stem for path in self.root.glob("*.jsonl"))

    def records(self, load_id: str, table: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = read_json_lines(self.path(load_id))
        return [record for record in found if table in (None, record["table"])]

    def load(self, load_id: str) -> dict[str, Any]:
        """The load's own record as it stands now: later values over earlier ones."""
        merged: dict[str, Any] = {}
        for record in self.records(load_id, "load"):
            merged |= {key: value for key, value in record.items() if value is not None}
        return merged

    def unfinished(self) -> Iterator[dict[str, Any]]:
        """Loads that were started and never closed: killed ones, seen from under the writer's lock."""
        for load_id in reversed(self.loads()):
            record = self.load(load_id)
            if record.get("finished_at"):
                return  # one writer at a time: whatever ran before this was closed by it
            if record:
                yield record

    def copy_into(self, con: duckdb.DuckDBPyConnection) -> None:
        """Bring the build's schema `ops` up to date; reads only the files it lacks or saw unfinished."""
        create_ops(con)
        done = {row[0] for row in con.execute("select load_id from ops.load where finished_at is not null").fetchall()}
        done -= {max(done, default="")}  # what the last load wrote after it had sealed its build is lacking
        lacking = [load_id for load_id in self.loads() if load_id not in done]
        if not lacking:
            return
        files = ", ".join(sql.literal(self.path(load_id)) for load_id in lacking)
        for table, columns in TABLES.items():
            con.execute(f"delete from ops.{table} where load_id in (select unnest($1))", [lacking])
            con.execute(f"insert into ops.{table} ({', '.join(columns)}) {_records(table, columns, files)}")


def _records(table: str, columns: dict[str, str], files: str) -> str:
    """SQL of a table's records in these ledger files; a line torn by a crash is left out."""
    # decimals are strings in JSON, so that no double comes between
    typed = {name: "varchar" if kind.startswith("decimal") else kind for name, kind in columns.items()}
    shape = ", ".join(f"{name}: '{kind}'" for name, kind in typed.items())
    records = (
        f"select {', '.join(columns)} from read_json([{files}], format = 'newline_delimited',"
        f" ignore_errors = true, columns = {{\"table\": 'varchar', {shape}}}) where \"table\" = '{table}'"
    )
    if table != "load":
        return f"{records} order by all"
    merged = {name: f"max({name})" for name in columns}
    merged["status"] = "max_by(status, coalesce(finished_at, started_at))"
    listed = ", ".join(f"{value} as {name}" for name, value in merged.items() if name != "load_id")
    return f"select load_id, {listed} from ({records}) group by load_id order by load_id"


def create_ops(con: duckdb.DuckDBPyConnection) -> None:
    """The tables of `ops`; one of an earlier release gets the columns that came since."""
    con.execute("create schema if not exists ops")
    for table, columns in TABLES.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        con.execute(f"create table if not exists ops.{table} ({listed})")
        held = {row[0] for row in con.execute(f"describe ops.{table}").fetchall()}
        for name in columns.keys() - held:
            con.execute(f"alter table ops.{table} add column {name} {columns[name]}")
