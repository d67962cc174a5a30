"""Results become ledger records, and say by severity what failed."""

import json

from dagster_project.quality import CheckResult, GateResult, Severity


def check(rule: str, severity: Severity, *, success: bool) -> CheckResult:
    return CheckResult(
        source="shop",
        feed="orders",
        rule=rule,
        expectation="expect_rows_to_meet",
        column=None,
        severity=severity,
        success=success,
        element_count=10,
        unexpected_count=0 if success else 1,
        observed=None,
        message="one sentence",
    )


def test_a_record_has_the_columns_of_the_ledger_and_survives_json() -> None:
    record = check("a", Severity.WARNING, success=False).as_record()

    assert json.loads(json.dumps(record)) == record
    assert set(record) == {
        "source",
        "feed",
        "rule",
        "expectation",
        "column_name",
        "severity",
        "success",
        "element_count",
        "unexpected_count",
        "observed",
        "message",
    }


def test_only_a_broken_critical_rule_stops_the_batch() -> None:
    warned = check("w", Severity.WARNING, success=False)
    aside = check("q", Severity.QUARANTINE, success=False)
    stopped = check("c", Severity.CRITICAL, success=False)
    fine = check("f", Severity.CRITICAL, success=True)

    assert GateResult((warned, aside, fine), 1, 0.1).passed
    result = GateResult((warned, aside, stopped, fine), 1, 0.1)
    assert not result.passed
    assert (result.warnings, result.quarantined, result.critical) == ((warned,), (aside,), (stopped,))
    assert [r["rule"] for r in result.records()] == ["w", "q", "c", "f"]
