"""Tables that grow by feeds no enabled source fills are passed by at night; what others read is not."""

from __future__ import annotations

from typing import Any

from dagster_project.warehouse.fingerprints import due_tests, unfilled, unread


def node(name: str, schema: str, *parents: str, materialized: str = "incremental") -> tuple[str, dict[str, Any]]:
    database = "warehouse" if schema == "star" else "staged"
    return name, {
        "name": name,
        "schema": schema,
        "database": database,
        "resource_type": "model",
        "config": {"materialized": materialized},
        "depends_on": {"nodes": list(parents)},
    }


MANIFEST: dict[str, Any] = {
    "sources": {"source.shop.lines": {"source_name": "shop", "name": "lines"}},
    "nodes": dict(
        [
            node("stg_shop__order_lines", "staging", "source.shop.lines", materialized="view"),
            node("order_lines", "canonical", "stg_shop__order_lines", materialized="view"),
            node("payments", "canonical", materialized="view"),
            node("reasons", "canonical", materialized="view"),
            node("changed_payers", "intermediate", "payments", materialized="table"),
            node("dim_date", "star", materialized="table"),
            node("dim_reason", "star", "reasons"),
            node("fct_sales_line", "star", "order_lines", "dim_date", "dim_reason"),
            node("fct_payment", "star", "payments", "dim_date", "changed_payers"),
        ]
    ),
}


def test_a_table_is_unfilled_if_none_of_its_feeds_comes_from_a_source() -> None:
    assert unfilled(MANIFEST) == {"dim_reason", "fct_payment"}


def test_an_idle_table_goes_with_what_only_it_reads_unless_another_table_reads_it() -> None:
    assert unread(MANIFEST, unfilled(MANIFEST)) == ["changed_payers", "fct_payment", "payments"]


def test_without_idle_tables_only_what_nobody_reads_is_left_out() -> None:
    assert unread(MANIFEST) == []


def checked(name: str, attached: str | None, *reads: str) -> dict[str, Any]:
    return {
        "name": name,
        "resource_type": "test",
        "attached_node": attached,
        "depends_on": {"nodes": list(reads)},
    }


WITH_TESTS: dict[str, Any] = MANIFEST | {
    "nodes": MANIFEST["nodes"]
    | {
        "payers_of_sales": checked("payers_of_sales", "fct_sales_line", "fct_sales_line", "changed_payers"),
        "payments_once": checked("payments_once", "fct_payment", "fct_payment", "payments"),
        "dates_hold": checked("dates_hold", None, "dim_date", "order_lines"),
        "payments_hold": checked("payments_hold", None, "dim_date", "fct_payment"),
    }
}


def test_what_a_test_of_a_running_table_reads_is_built_too() -> None:
    assert unread(WITH_TESTS, unfilled(WITH_TESTS)) == ["fct_payment"]


def test_tests_of_idle_tables_are_not_due_all_others_are() -> None:
    assert due_tests(WITH_TESTS, ["fct_payment"]) == {"payers_of_sales", "dates_hold"}
    assert due_tests(WITH_TESTS, []) == {"payers_of_sales", "payments_once", "dates_hold", "payments_hold"}
