"""Suites of built tables, judged by the real engine in the file of a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from quality_gate_kit import meet, rule

from dagster_project.errors import ConfigurationError
from dagster_project.quality.results import CheckResult, Severity
from dagster_project.quality.table import Table
from dagster_project.quality.tables import check_tables
from dagster_project.quality.worker import GateWorker


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A file as dbt leaves one: a table, and a view that names its database."""
    file = tmp_path / "build" / "warehouse.duckdb"
    file.parent.mkdir()
    with duckdb.connect(str(file)) as con:
        con.execute("create schema mart")
        con.execute(
            "create table mart.months as select * from (values (date '2017-01-01', 10, 0.5),"
            " (date '2017-02-01', 20, 1.5), (date '2017-03-01', 30, 2.5))"
            " as months (month_start_date, customers, retention)"
        )
        con.execute("create view mart.shares as select month_start_date, retention from warehouse.mart.months")
    return file


def table(build: Path, name: str, *rules: dict[str, Any], key: str = "month_start_date") -> Table:
    path = build.parents[1] / f"{name}.json"
    path.write_text(json.dumps({"name": f"mart.{name}", "key": [key], "expectations": list(rules)}))
    return Table("mart", name, path)


def judged(build: Path, *tables: Table) -> dict[str, CheckResult]:
    return {check.rule: check for check in check_tables(build, list(tables), load="night")}


def between(name: str, column: str, severity: str = "critical", **limits: float) -> dict[str, Any]:
    return rule(name, severity, "expect_column_values_to_be_between", column=column, **limits)


def test_a_broken_critical_rule_tells_table_rule_rows_and_a_key(build: Path) -> None:
    share = between("retention_is_share", "retention", max_value=1)

    found = judged(build, table(build, "months", share, between("some_customers", "customers", min_value=1)))

    assert found["some_customers"].success
    broken = found["retention_is_share"]
    assert (broken.source, broken.feed, broken.severity) == ("mart", "months", Severity.CRITICAL)
    assert (broken.element_count, broken.unexpected_count) == (3, 2)
    assert broken.message == (
        "mart.months: retention_is_share: 2 of 3 rows (66.7%), nothing is published. Because of retention_is_share."
        " For example month_start_date = 2017-02-01."
    )


def test_a_broken_row_rule_has_a_key_too_and_a_rule_on_the_whole_has_none(build: Path) -> None:
    mean = rule("mean_small", "critical", "expect_column_mean_to_be_between", column="customers", max_value=5)

    found = judged(build, table(build, "months", meet("few", "customers < 30", "critical"), mean))

    assert found["few"].message.endswith("For example month_start_date = 2017-03-01.")
    assert "fails as a whole" in found["mean_small"].message
    assert not found["mean_small"].success


def test_a_broken_warning_tells_no_key(build: Path) -> None:
    found = judged(build, table(build, "months", meet("few", "customers < 30", "warning")))

    assert found["few"].message == "mart.months: few: 1 of 3 rows (33.3%), published as it is. Because of few."


def test_a_view_is_judged_and_a_rule_may_read_another_table(build: Path) -> None:
    condition = "retention <= (select max(customers) from warehouse.mart.months) / 20"

    found = judged(build, table(build, "shares", meet("against_months", condition, "warning")))

    assert found["against_months"].unexpected_count == 1


def test_an_empty_table_breaks_no_rule_on_rows(build: Path) -> None:
    with duckdb.connect(str(build)) as con:
        con.execute("delete from mart.months")

    found = judged(build, table(build, "months", meet("few", "customers < 30", "critical")))

    assert found["few"].success


def test_the_file_is_let_go_so_that_it_can_be_published(build: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"names column 'retained', which mart\.months doesn't have"):
        judged(build, table(build, "months", between("r", "retained", max_value=1)))

    with duckdb.connect(str(build)) as con:  # a second opening, to write, fails while it is attached
        con.execute("drop view mart.shares")


def test_a_key_that_is_no_column_is_a_mistake_in_the_suite(build: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"its key names column 'month', which mart\.months doesn't have"):
        judged(build, table(build, "months", meet("few", "customers < 30", "warning"), key="month"))


def test_the_gates_process_says_the_same(build: Path) -> None:
    months = table(build, "months", between("retention_is_share", "retention", max_value=1))
    worker = GateWorker()

    answered = worker.check_tables(build, [months], load="night", docs_dir=build.parent / "docs")

    assert answered == check_tables(build, [months], load="night")
    assert "mart.months" in (build.parent / "docs" / "index.html").read_text()
    process = worker._running()
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
