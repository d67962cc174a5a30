"""The gate on tiny batches: what each severity does, what is set aside, how mistakes are reported."""

from pathlib import Path

import duckdb
import pytest
from quality_gate_kit import Gate, meet, not_null, rule

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.quality import Severity

ORDERS = """
SELECT * FROM (VALUES (1, 10.0, 'a'), (2, -5.0, 'b'), (NULL, 7.5, 'c'), (4, NULL, 'b'))
AS t(order_id, amount, kind)
"""


def test_a_broken_warning_is_recorded_and_nothing_is_set_aside(gate: Gate) -> None:
    gate.land(ORDERS)
    gate.rules(rule("amount_positive", "warning", "expect_column_values_to_be_between", column="amount", min_value=0))

    result = gate.check()

    (check,) = result.warnings
    assert (check.element_count, check.unexpected_count, check.column) == (4, 1, "amount")
    assert check.observed == "1 of 4 rows (25%)"
    assert check.message == ("shop.orders: amount_positive: 1 of 4 rows (25%), kept. Because of amount_positive.")
    assert result.passed
    assert result.quarantined_rows == 0
    assert not gate.violations.exists()


def test_each_row_is_set_aside_once_for_every_rule_it_breaks(gate: Gate) -> None:
    gate.land("SELECT * FROM (VALUES (1, 1.0), (NULL, -1.0), (NULL, 2.0), (4, -2.0)) AS t(order_id, amount)")
    gate.rules(not_null("order_id"), meet("amount_positive", "amount > 0"))

    result = gate.check()

    assert gate.set_aside() == [
        (2, "amount_positive", "Because of amount_positive."),
        (2, "order_id_present", "order_id: Because of order_id_present."),
        (3, "order_id_present", "order_id: Because of order_id_present."),
        (4, "amount_positive", "Because of amount_positive."),
    ]
    assert result.quarantined_rows == 3
    assert len(result.quarantined) == 2
    assert result.passed


def test_all_kinds_of_row_rules_name_their_rows(gate: Gate) -> None:
    gate.land(
        "SELECT * FROM (VALUES (1, DATE '2017-01-02', DATE '2017-01-01', 'it''s'), "
        "(2, DATE '2017-01-01', DATE '2017-01-03', 'x%y'), (3, DATE '1900-01-01', NULL, 'it''s')) "
        "AS t(order_id, start, stop, kind)"
    )
    gate.rules(
        rule("kind_known", "quarantine", "expect_column_values_to_be_in_set", column="kind", value_set=["it's"]),
        rule(
            "stop_after_start",
            "quarantine",
            "expect_column_pair_values_a_to_be_greater_than_b",
            column_A="stop",
            column_B="start",
            or_equal=True,
        ),
        rule(
            "start_plausible",
            "quarantine",
            "expect_column_values_to_be_between",
            column="start",
            min_value="2000-01-01",
        ),
        meet("kind_ends", "kind::VARCHAR NOT LIKE 'x%y'"),
    )

    result = gate.check()

    assert [(row, name) for row, name, _ in gate.set_aside()] == [
        (1, "stop_after_start"),
        (2, "kind_ends"),
        (2, "kind_known"),
        (3, "start_plausible"),
    ]
    assert result.quarantined_rows == 3


def test_a_broken_critical_rule_is_listed_and_leaves_the_decision_to_the_caller(gate: Gate) -> None:
    gate.land("SELECT CAST(NULL AS BIGINT) AS order_id FROM range(20)")
    gate.rules(meet("keys", "order_id IS NOT NULL", "critical", tolerated_share=0.05, tolerated_rows=10))

    result = gate.check()

    assert not result.passed
    assert result.critical[0].severity is Severity.CRITICAL
    assert "20 of 20 rows (100%), the feed lands nothing" in result.critical[0].message
    assert not gate.violations.exists()


@pytest.mark.parametrize(("bad", "rows", "holds"), [(1, 1, True), (10, 10, True), (11, 1000, True), (11, 100, False)])
def test_a_tolerant_rule_fails_only_beyond_both_tolerances(gate: Gate, bad: int, rows: int, holds: bool) -> None:
    gate.land(f"SELECT CASE WHEN range >= {bad} THEN range END AS order_id FROM range({rows})")
    gate.rules(meet("keys", "order_id IS NOT NULL", "critical", tolerated_share=0.05, tolerated_rows=10))

    result = gate.check()

    assert result.passed is holds
    assert result.checks[0].unexpected_count == bad


def test_a_clean_batch_holds_and_removes_what_an_earlier_try_set_aside(gate: Gate) -> None:
    gate.rules(not_null("order_id"))
    gate.land(ORDERS)
    gate.check()
    assert gate.violations.exists()

    gate.land("SELECT 1 AS order_id")
    result = gate.check()

    assert result.checks[0].success
    assert result.checks[0].message == "shop.orders: order_id_present: holds"
    assert not gate.violations.exists()


def test_a_condition_that_is_null_lets_the_row_pass(gate: Gate) -> None:
    gate.land(ORDERS)
    gate.rules(meet("amount_positive", "amount > 0"))

    gate.check()

    assert [row for row, _, _ in gate.set_aside()] == [2]


def test_deleted_rows_are_not_judged(gate: Gate) -> None:
    gate.land("SELECT NULL::INTEGER AS order_id, unnest(['delete', 'update']) AS _op")
    gate.rules(not_null("order_id"))

    result = gate.check()

    assert result.checks[0].element_count == 1
    assert len(gate.set_aside()) == 1


@pytest.mark.parametrize("severity", ["warning", "quarantine", "critical"])
def test_a_batch_without_rows_breaks_no_rule(gate: Gate, severity: str) -> None:
    gate.land("SELECT 1 AS order_id, 1.0 AS amount WHERE false")
    gate.rules(
        not_null("order_id", severity),
        rule("amount_positive", severity, "expect_column_values_to_be_between", column="amount", min_value=0),
        meet("amount_even", "amount % 2 = 0", severity),
    )

    result = gate.check()

    assert [c.success for c in result.checks] == [True, True, True]
    assert result.quarantined_rows == 0


def test_batches_checked_one_after_the_other_do_not_share_figures(gate: Gate) -> None:
    gate.rules(meet("order_positive", "order_id > 0", "warning"))
    gate.land("SELECT -1 AS order_id FROM range(3)")
    first = gate.check().checks[0]

    gate.land("SELECT 'a new first column' AS note, -1 AS order_id FROM range(5)")
    second = gate.check().checks[0]

    assert (first.unexpected_count, second.unexpected_count) == (3, 5)


def test_paths_and_columns_with_quotes_and_spaces_work(tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    gate = Gate(folder)
    gate.land('SELECT NULL AS "Order Id", 1 AS "select"')
    gate.rules(
        rule("order_present", "quarantine", "expect_column_values_to_not_be_null", column="Order Id"),
        meet("quoted", '"select" > 1'),
    )

    assert gate.check().quarantined_rows == 1
    assert len(gate.set_aside()) == 2


def test_no_value_of_any_row_reaches_results_or_docs(gate: Gate) -> None:
    secret = "ada@example.org"
    gate.land(f"SELECT 1 AS order_id, '{secret}' AS email")
    gate.rules(
        rule("email_known", "quarantine", "expect_column_values_to_be_in_set", column="email", value_set=["x"]),
        rule(
            "email_set",
            "warning",
            "expect_column_distinct_values_to_be_in_set",
            column="email",
            value_set=["x"],
        ),
        rule(
            "email_most",
            "warning",
            "expect_column_most_common_value_to_be_in_set",
            column="email",
            value_set=["x"],
        ),
    )

    result = gate.check(docs=True)

    written = [p.read_text() for p in gate.docs.rglob("*") if p.is_file()]
    assert len(written) == 4
    assert not any(secret in text for text in [*written, str(result.records()), str(gate.set_aside())])
    assert [c.success for c in result.checks] == [False, False, False]


def test_docs_keep_the_newest_batch_of_each_feed_and_link_to_each_other(gate: Gate) -> None:
    gate.rules(not_null("order_id", "warning"))
    gate.land(ORDERS)
    gate.check(docs=True)
    before = sorted(p for p in gate.docs.rglob("*") if p.is_file())

    gate.land("SELECT 1 AS order_id")
    gate.check(docs=True)

    index = (gate.docs / "index.html").read_text()
    page = gate.docs / "validations/landing/shop/orders/newest/run/batch.html"
    assert sorted(p for p in gate.docs.rglob("*") if p.is_file()) == before
    assert "load=20170101T000000Z-0001" in index
    assert "1 of 4" not in index
    assert page.relative_to(gate.docs).as_posix() in index
    text = page.read_text()
    assert "Because of order_id_present." in text
    links = ["../../../../../../index.html", "../../../../../../expectations/landing/shop/orders.html"]
    for link in links:
        assert link in text
        assert (page.parent / link).resolve().is_file()


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (not_null("order_no"), "names column 'order_no', which shop.orders doesn't have"),
        (rule("r_1", "warning", "expect_the_unexpected", column="amount"), "'r_1' (expect_the_unexpected)"),
        (rule("r_1", "warning", "expect_column_values_to_not_be_null"), "'r_1'"),
        (
            rule("r_1", "warning", "expect_column_values_to_be_between", column="kind", min_value=1, low=2),
            "'r_1'",
        ),
        (meet("r_1", "amount >"), "Parser Error"),
        (meet("r_1", "amont > 0"), "Binder Error"),
        (
            rule("r_1", "quarantine", "expect_column_max_to_be_between", column="amount", max_value=1),
            "which rows",
        ),
    ],
)
def test_a_mistake_in_a_suite_names_the_file_and_the_rule(gate: Gate, broken: dict, expected: str) -> None:
    gate.land(ORDERS)
    gate.rules(not_null("kind"), broken, meet("fine", "true"))

    with pytest.raises(ConfigurationError) as error:
        gate.check()

    assert str(gate.suite) in error.value.message
    assert expected in error.value.message
    assert broken["meta"]["rule"] in error.value.message
    assert error.value.remedy


def test_a_value_that_can_not_be_converted_is_not_quoted_and_the_next_check_works(gate: Gate) -> None:
    gate.land("SELECT 'ada@example.org' AS email")
    gate.rules(meet("email_number", "CAST(email AS INTEGER) > 0"))

    with pytest.raises(ConfigurationError) as error:
        gate.check()

    assert "Conversion Error" in error.value.message
    assert "ada" not in str(error.value)
    gate.rules(not_null("email"))
    assert gate.check().passed


def test_a_missing_damaged_or_foreign_batch_is_named(gate: Gate) -> None:
    gate.rules(not_null("order_id"))
    with pytest.raises(ClienteleError, match="there is no batch file"):
        gate.check()

    gate.batch.parent.mkdir(parents=True)
    gate.batch.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ClienteleError, match="can't be read as Parquet"):
        gate.check()

    gate.land("SELECT 1 AS order_id")
    duckdb.sql(f"COPY (SELECT 1 AS order_id) TO '{gate.batch}' (FORMAT parquet)")
    with pytest.raises(ClienteleError, match="has no column _row, _op"):
        gate.check()
