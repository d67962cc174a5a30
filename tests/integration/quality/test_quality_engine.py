"""What the engine promises about Great Expectations in our process; each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
from quality_gate_kit import Gate, not_null, rule

from dagster_project.quality.engine import close_engine, shared_engine
from dagster_project.quality.suite import load_suite

PROJECT = Path(__file__).parents[3]

VALIDATE_WITHOUT_PATCH = """
import os
os.environ["GX_ANALYTICS_ENABLED"] = "false"
import great_expectations as gx
import sqlalchemy as sa
context = gx.get_context(mode="ephemeral")
source = context.data_sources.add_sql("plain", connection_string="duckdb:///:memory:plain")
source.get_execution_engine().execute_query_in_transaction(sa.text("CREATE VIEW batch AS SELECT 1 AS a"))
asset = source.add_table_asset("batch", table_name="batch")
batch = asset.add_batch_definition_whole_table("whole").get_batch()
expectation = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a"}}
print("success:", batch.validate(gx.ExpectationSuite(name="s", expectations=[expectation])).success)
"""

CHECK_AND_LEAVE = """
import sys
from pathlib import Path
from dagster_project.quality import check_batch
result = check_batch(Path(sys.argv[1]), Path(sys.argv[2]), source="shop", feed="orders",
                     violations=Path(sys.argv[3]))
print(result.passed, sys.modules["os"].environ["GX_ANALYTICS_ENABLED"])
"""


def python(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "GX_ANALYTICS_ENABLED"}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=PROJECT,
        env=environment | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_great_expectations_still_needs_our_patch_for_duckdb() -> None:
    outcome = python(VALIDATE_WITHOUT_PATCH)

    assert "success: True" not in outcome.stdout, (
        "This release of Great Expectations validates on DuckDB by itself: "
        "remove _keep_connection from dagster_project/quality/engine.py"
    )
    assert "success: False" in outcome.stdout or "list index out of range" in outcome.stderr


def test_importing_the_package_does_not_import_great_expectations() -> None:
    outcome = python("import sys, dagster_project.quality; print('great_expectations' in sys.modules)")

    assert outcome.stdout.strip() == "False", outcome.stderr


def test_a_check_prints_nothing_and_sends_no_analytics(gate: Gate) -> None:
    gate.land("SELECT 1 AS order_id")
    gate.rules(not_null("order_id"))

    outcome = python(CHECK_AND_LEAVE, gate.batch, gate.suite, gate.violations)

    assert outcome.returncode == 0
    assert outcome.stdout.split() == ["True", "false"]
    assert outcome.stderr == ""


def test_duckdbs_leak_notices_at_exit_are_kept_from_the_user() -> None:
    bare = "import great_expectations, duckdb_engine"
    silenced = f"from dagster_project.quality.engine import silence_exit_notices as s; s(); {bare}"

    assert "nanobind" in python(bare).stderr, "DuckDB leaks no more: remove silence_exit_notices"
    assert python(silenced).stderr == ""


def test_great_expectations_is_not_asked_for_any_row(gate: Gate) -> None:
    gate.land("SELECT 'ada@example.org' AS email FROM range(30)")
    gate.rules(rule("known", "quarantine", "expect_column_values_to_be_in_set", column="email", value_set=["x"]))

    with shared_engine() as engine:
        engine.open(f"SELECT * FROM '{gate.batch}'")
        (judgement,), outcome = engine.validate(load_suite(gate.suite), row_queries=True)

    assert judgement.result["unexpected_count"] == 30
    assert "ada" not in str(outcome)


def test_a_live_engine_does_not_block_a_database_file(gate: Gate, tmp_path: Path) -> None:
    gate.land("SELECT 1 AS order_id")
    gate.rules(not_null("order_id"))
    gate.check()
    file = str(tmp_path / "warehouse.duckdb")

    with duckdb.connect(file, config={"storage_compatibility_version": "v1.5.0"}) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS a")
    with duckdb.connect(file, read_only=True, config={"threads": 1}) as con:
        assert con.execute("SELECT a FROM t").fetchone() == (1,)


def test_a_closed_engine_comes_back_with_the_next_check(gate: Gate) -> None:
    gate.land("SELECT 1 AS order_id")
    gate.rules(not_null("order_id"))
    gate.check()

    close_engine()

    assert gate.check().passed


def test_columns_are_reflected_with_their_types() -> None:
    with shared_engine() as engine:
        engine.open("SELECT 1::BIGINT AS i, 1.5::DECIMAL(9, 2) AS d, 'x' AS s, DATE '2017-01-01' AS day, [1] AS l")
        described = engine.run("DESCRIBE SELECT * FROM batch")
        with engine._engine.get_connection() as connection:
            columns = engine._engine.engine.dialect.get_columns(connection, "batch")

    assert [c["name"] for c in columns] == [row[0] for row in described]
    assert [type(c["type"]).__name__ for c in columns] == ["BIGINT", "DECIMAL", "VARCHAR", "DATE", "NullType"]
