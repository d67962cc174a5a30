"""The ledger: append-only, torn tails, loads closed by the next one, and its copy in `ops`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dagster_project.landing.manifest import Counts
from dagster_project.warehouse.ledger import TABLES, Ledger, batch_figures, create_ops, new_load_id

FIRST, SECOND, THIRD = "20170301T030000000000Z-aaaa", "20170302T030000000000Z-bbbb", "20170303T030000000000Z-cccc"

# What the design promises to whoever reads `ops`; more columns may come, none may go.
INTERFACE = {
    "load": {"load_id", "load_date", "status", "started_at", "finished_at", "release"},
    "batch": {
        "load_id",
        "source",
        "feed",
        "rows_read",
        "rows_accepted",
        "rows_unchanged",
        "rows_already_landed",
        "rows_quarantined",
        "rows_rejected",
        "rows_deleted",
        "control_totals",
        "source_files",
    },
    "quality_result": {"load_id", "feed", "rule", "severity", "success"},
    "reconciliation": {"load_id", "from_table", "to_table", "measure", "expected", "actual", "difference"},
    "release": {"load_id", "release"},
    "stage_timing": {"load_id", "stage", "seconds"},
    "restatement": {"load_id", "month", "measure", "change"},
    "erasure": {"load_id"},
    "compaction": {"load_id", "source", "feed", "month", "batches", "rows_compacted"},
}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def start(ledger: Ledger, load_id: str) -> None:
    ledger.write("load", load_id, load_date="2017-03-01", kind="nightly", status="running", started_at="2017-03-02")


def finish(ledger: Ledger, load_id: str, status: str = "published") -> None:
    ledger.write("load", load_id, status=status, finished_at="2017-03-03")


def test_a_line_torn_by_a_crash_is_left_out_and_spoils_no_later_one(ledger: Ledger) -> None:
    start(ledger, FIRST)
    with ledger.path(FIRST).open("a") as file:
        file.write('{"table": "stage_timing", "load_id": "2017')

    torn = ledger.records(FIRST)
    finish(ledger, FIRST, "crashed")

    assert [record["table"] for record in torn] == ["load"]
    assert [record["table"] for record in ledger.records(FIRST)] == ["load", "load"]
    assert ledger.load(FIRST)["status"] == "crashed"
    with duckdb.connect() as con:
        ledger.copy_into(con)
        assert con.execute("select status from ops.load").fetchall() == [("crashed",)]


def test_a_torn_line_is_left_out_of_ops_too(ledger: Ledger) -> None:
    start(ledger, FIRST)
    with ledger.path(FIRST).open("a") as file:
        file.write('{"table": "load", "load_id": "2017')

    with duckdb.connect() as con:
        ledger.copy_into(con)
        assert con.execute("select load_id, status from ops.load").fetchall() == [(FIRST, "running")]


def test_a_load_that_was_never_closed_is_found_until_it_is(ledger: Ledger) -> None:
    start(ledger, FIRST)
    finish(ledger, FIRST)
    start(ledger, SECOND)

    assert [record["load_id"] for record in ledger.unfinished()] == [SECOND]
    finish(ledger, SECOND, "crashed")
    assert list(ledger.unfinished()) == []


def test_later_values_of_a_load_count_and_earlier_ones_stay(ledger: Ledger) -> None:
    start(ledger, FIRST)
    finish(ledger, FIRST, "partial")

    merged = ledger.load(FIRST)

    assert (merged["status"], merged["kind"], merged["started_at"]) == ("partial", "nightly", "2017-03-02")


def test_a_build_gets_what_it_lacks_and_what_it_saw_unfinished(ledger: Ledger) -> None:
    def of(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
        return con.execute("select load_id, status from ops.load order by 1").fetchall()

    with duckdb.connect() as con:
        start(ledger, FIRST)
        ledger.copy_into(con)
        assert of(con) == [(FIRST, "running")]
        ledger.write("stage_timing", FIRST, stage="publish", seconds=0.5)
        finish(ledger, FIRST)
        start(ledger, SECOND)
        finish(ledger, SECOND, "failed")
        start(ledger, THIRD)

        ledger.copy_into(con)
        ledger.copy_into(con)

        assert of(con) == [(FIRST, "published"), (SECOND, "failed"), (THIRD, "running")]
        assert con.execute("select stage, seconds from ops.stage_timing").fetchall() == [("publish", 0.5)]


def test_money_in_the_ledger_is_exact(ledger: Ledger) -> None:
    values = {"from_table": "a", "to_table": "b", "measure": "net", "actual": 0, "difference": 0}
    ledger.write("reconciliation", FIRST, expected=Decimal("123456789012345678.1234"), **values)

    with duckdb.connect() as con:
        ledger.copy_into(con)
        found = con.execute("select expected from ops.reconciliation").fetchall()

    assert found == [(Decimal("123456789012345678.1234"),)]


def test_ops_has_the_columns_others_rely_on() -> None:
    with duckdb.connect() as con:
        create_ops(con)
        rows = con.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'ops'"
        ).fetchall()

    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    assert found.keys() == INTERFACE.keys()
    for table, columns in INTERFACE.items():
        assert columns <= found[table], table


def test_a_value_without_a_column_is_refused(ledger: Ledger) -> None:
    with pytest.raises(KeyError, match="colour"):
        ledger.write("load", FIRST, colour="red")


@pytest.mark.parametrize("last", [None, FIRST, "29991231T235959999999Z-ffff", "20991231T235959123456Z-0000"])
def test_a_load_id_is_later_than_the_last_even_if_the_clock_was_set_back(last: str | None) -> None:
    made = new_load_id(last)

    assert last is None or made > last
    assert len(made) == len(FIRST)


def test_every_count_of_a_batch_has_its_column() -> None:
    assert set(batch_figures(Counts(), None)) <= set(TABLES["batch"])


def test_a_release_from_before_a_column_gets_it(ledger: Ledger) -> None:
    start(ledger, FIRST)
    finish(ledger, FIRST)
    with duckdb.connect() as con:
        ledger.copy_into(con)
        con.execute("alter table ops.load drop column message")
        ledger.copy_into(con)
        assert con.execute("select load_id, message from ops.load").fetchall() == [(FIRST, None)]
