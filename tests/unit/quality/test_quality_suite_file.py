"""A mistake in a suite file is named by file, expectation and key, without Great Expectations."""

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.quality.suite import load_suite, load_table_suite

META = {"rule": "amount_present", "severity": "quarantine", "why": "Nothing can be summed without it."}


def write(folder: Path, *expectations: dict[str, Any]) -> Path:
    path = folder / "orders.json"
    path.write_text(json.dumps({"name": "landing.shop.orders", "expectations": list(expectations)}))
    return path


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": "amount"},
        "meta": {**META},
    } | changes


def test_a_good_suite_is_read_with_its_rules_in_order(tmp_path: Path) -> None:
    second = rule(meta={**META, "rule": "amount_known"})

    suite = load_suite(write(tmp_path, rule(), second))

    assert [r.meta.rule for r in suite.expectations] == ["amount_present", "amount_known"]
    assert suite.expectations[0].columns == ("amount",)


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (rule(meta={**META, "severity": "fatal"}), "severity"),
        (rule(meta={"rule": "amount_present", "severity": "warning"}), "why"),
        (rule(meta={**META, "rule": "Amount present"}), "rule"),
        (rule(type="amount must be there"), "type"),
        (rule(severity="warning"), "severity"),
    ],
)
def test_a_wrong_key_is_named_with_its_expectation(tmp_path: Path, broken: dict[str, Any], expected: str) -> None:
    path = write(tmp_path, rule(), broken)

    with pytest.raises(ConfigurationError) as error:
        load_suite(path)

    assert str(path) in error.value.message
    assert "expectations.1" in error.value.message
    assert expected in error.value.message
    assert error.value.remedy


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'amount_present' more than once"):
        load_suite(write(tmp_path, rule(), rule()))


@pytest.mark.parametrize("tolerance", ["mostly", "tolerated_rows", "tolerated_share"])
def test_a_quarantine_rule_may_not_tolerate_rows(tmp_path: Path, tolerance: str) -> None:
    tolerant = rule(kwargs={"column": "amount", tolerance: 0.9})

    with pytest.raises(ConfigurationError, match=tolerance):
        load_suite(write(tmp_path, tolerant))


@pytest.mark.parametrize(("content", "expected"), [("{", "not JSON"), ("[]", "not an object"), ("{}", "name")])
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "orders.json"
    path.write_text(content)

    with pytest.raises(ConfigurationError, match=expected) as error:
        load_suite(path)

    assert str(path) in error.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no suite file"):
        load_suite(tmp_path / "nowhere.json")


def test_a_suite_without_expectations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expectations"):
        load_suite(write(tmp_path))


def write_table_suite(folder: Path, **changes: Any) -> Path:
    path = folder / "mart_profit_month.json"
    kept = rule(meta={**META, "severity": "critical"})
    content = {"name": "mart.mart_profit_month", "key": ["month_start_date"], "expectations": [kept]} | changes
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))
    return path


def test_a_tables_suite_names_the_key_that_tells_a_row(tmp_path: Path) -> None:
    assert load_table_suite(write_table_suite(tmp_path)).key == ["month_start_date"]

    with pytest.raises(ConfigurationError, match=r"mart_profit_month\.json has no key"):
        load_table_suite(write_table_suite(tmp_path, key=None))


def test_rows_of_a_built_table_cannot_be_set_aside(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mart_profit_month\.json: rule 'amount_present' .* 'quarantine'"):
        load_table_suite(write_table_suite(tmp_path, expectations=[rule()]))
