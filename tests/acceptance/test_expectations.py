"""Suites of built tables: what breaks a critical one is not published, what breaks a warning is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import PROJECT, Installation
from tests.support.real_data import write_slice

BEFORE, NIGHT = "2017-09-30", "2017-10-01"
SHIPPED = sorted(path.stem for path in (PROJECT / "expectations" / "mart").glob("*.json"))
PROFIT = "mart/mart_profit_month.json"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, dict[str, Any]]:
    """Some households and their campaigns, loaded with the suites as they are shipped."""
    folder = tmp_path_factory.mktemp("expectations")
    made = Installation(folder / "home", write_slice(folder / "data", households=60))
    return made, made.load(BEFORE)


@pytest.fixture
def home(before: tuple[Installation, dict[str, Any]], tmp_path: Path) -> Installation:
    """The same installation with suites of its own."""
    made = before[0].copy(tmp_path / "home")
    suites = tmp_path / "expectations"
    shutil.copytree(PROJECT / "expectations", suites)
    made.env["CLIENTELE_EXPECTATIONS_DIR"] = str(suites)
    return made


def suite(home: Installation, file: str, key: str, severity: str, condition: str, rule: str = "a_rule") -> Path:
    """Write a suite of one rule on whole rows."""
    path = Path(home.env["CLIENTELE_EXPECTATIONS_DIR"]) / file
    path.parent.mkdir(exist_ok=True)
    expectation = {
        "type": "expect_rows_to_meet",
        "kwargs": {"condition": condition},
        "meta": {"rule": rule, "severity": severity, "why": "The shop sells something each month."},
    }
    path.write_text(json.dumps({"name": file, "key": [key], "expectations": [expectation]}))
    return path


def results(home: Installation, report: dict[str, Any], table: str) -> list[tuple[Any, ...]]:
    return home.sql(
        "select rule, severity, success, unexpected_count > 0, message from ops.quality_result"
        f" where source || '.' || feed = '{table}' and load_id = '{report['load_id']}'"
    )


def test_the_shipped_suites_hold_and_are_in_the_ledger(before: tuple[Installation, dict[str, Any]]) -> None:
    home, report = before
    assert report["status"] == "published"
    marts = home.sql(
        "select feed, bool_and(success) from ops.quality_result where source = 'mart' group by 1 order by 1"
    )
    assert marts == [(name, True) for name in SHIPPED]
    assert "expectations" in {row["stage"] for row in report["stages"]}


@pytest.mark.long
def test_a_broken_warning_is_published_told_and_recorded(home: Installation) -> None:
    suite(home, PROFIT, "month_start_date", "warning", "net_sales < 0")

    report = home.load(NIGHT)

    assert report["status"] == "published"
    [(rule, severity, success, has_rows, message)] = results(home, report, "mart.mart_profit_month")
    assert (rule, severity, success, has_rows) == ("a_rule", "warning", False, True)
    assert "published as it is. The shop sells something each month." in message
    assert {"severity": "warning", "rule": "a_rule", "message": message} in report["checks"]["broken"]
    assert message in home.run("status", report["load_id"]).out


def test_a_broken_critical_rule_publishes_nothing_and_says_what_to_do(home: Installation) -> None:
    served = home.warehouse.resolve()
    suite(home, PROFIT, "month_start_date", "critical", "net_sales < 0")

    report = home.load(NIGHT, check=1)

    assert report["status"] == "failed"
    assert home.warehouse.resolve() == served
    told = report["message"]
    assert "mart.mart_profit_month: a_rule: " in told
    assert "10 of 10 rows (100%), nothing is published" in told
    assert "For example month_start_date = 2017-01-01." in told
    assert "warehouse.duckdb, correct the data at its source" in told
    assert [check["rule"] for check in report["checks"]["broken"] if check["severity"] == "critical"] == ["a_rule"]

    # the rule is set right: the next load takes what had landed
    suite(home, PROFIT, "month_start_date", "critical", "net_sales > 0")
    assert home.load(NIGHT)["status"] == "published"


@pytest.mark.long
def test_any_published_table_may_have_a_suite_and_one_that_nobody_fills_is_skipped(home: Installation) -> None:
    suite(home, "star/dim_store.json", "store_key", "critical", "store_key is not null")
    suite(home, "star/fct_interaction.json", "interaction_key", "critical", "false")  # no source here fills it

    report = home.load(NIGHT)

    assert report["status"] == "published"
    assert [row[:3] for row in results(home, report, "star.dim_store")] == [("a_rule", "critical", True)]
    assert results(home, report, "star.fct_interaction") == []


@pytest.mark.parametrize(
    ("file", "severity", "told"),
    [
        ("mart/mart_profits.json", "warning", "dbt builds no table mart.mart_profits"),
        (PROFIT, "quarantine", "rule 'a_rule' (expect_rows_to_meet) has severity 'quarantine'"),
    ],
)
def test_a_mistake_in_a_suite_is_told_with_its_file_before_anything_is_built(
    home: Installation, file: str, severity: str, told: str
) -> None:
    served = home.warehouse.resolve()
    path = suite(home, file, "month_start_date", severity, "net_sales > 0")

    report = home.load(NIGHT, check=1)

    assert report["status"] == "failed"
    assert f"suite {path}: {told}" in report["message"]
    assert "dbt" not in {row["stage"] for row in report["stages"]}
    assert home.warehouse.resolve() == served
