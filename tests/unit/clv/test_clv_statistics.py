"""What SQL counts of customers is what the models mean by frequency, recency, age and value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pytest

from dagster_project.clv.statistics import Purchases, Statistics, Values, from_warehouse
from dagster_project.errors import LoadError


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create schema cube")
        opened.execute(
            "create table cube.sales_orders"
            " (order_date date not null, mastered_customer_key bigint not null, net_sales decimal(19, 4))"
        )
        yield opened


def bought(con: duckdb.DuckDBPyConnection, customer: int, *orders: tuple[str, str | None]) -> None:
    for day, net in orders:
        con.execute("insert into cube.sales_orders values (?, ?, ?)", [day, customer, net])


def rows(found: Statistics) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    one, other = found.purchases, found.values
    purchases = zip(one.frequency, one.recency, one.age, one.customers, strict=True)
    values = zip(other.days, other.amount, other.customers, strict=True)
    return ([tuple(int(v) for v in row) for row in purchases], [tuple(int(v) for v in row) for row in values])


def test_days_are_counted_from_the_first_and_orders_of_a_day_are_one_purchase(con: duckdb.DuckDBPyConnection) -> None:
    bought(con, 7, ("2020-01-01", "10"), ("2020-01-01", "5"), ("2020-01-11", "3.25"), ("2020-01-11", "1.50"))
    bought(con, 7, ("2020-01-21", "2"))
    bought(con, 8, ("2020-01-31", "1"))
    purchases, values = rows(from_warehouse(con))
    assert purchases == [(0, 0, 0, 1), (2, 20, 30, 1)]
    # the first day's 15 is the acquisition, not a repeat: 4.75 and 2 are
    assert values == [(0, 0, 1), (2, 67_500, 1)]


def test_alike_customers_are_one_group(con: duckdb.DuckDBPyConnection) -> None:
    for customer in (1, 2, 3):
        bought(con, customer, ("2020-01-01", "9"), ("2020-01-05", "4.10"))
    bought(con, 4, ("2020-01-01", "9"))
    purchases, values = rows(from_warehouse(con))
    assert purchases == [(0, 0, 4, 1), (1, 4, 4, 3)]
    assert values == [(0, 0, 1), (1, 41_000, 3)]


def test_days_without_value_are_purchases_and_have_no_value(con: duckdb.DuckDBPyConnection) -> None:
    bought(con, 1, ("2020-01-01", "9"), ("2020-01-02", "0"), ("2020-01-03", "5"), ("2020-01-03", "-6"))
    bought(con, 1, ("2020-01-04", None), ("2020-01-05", "2.0001"))
    purchases, values = rows(from_warehouse(con))
    assert purchases == [(4, 4, 4, 1)]
    assert values == [(1, 20_001, 1)]


def test_unknown_customers_are_nobody_yet_their_orders_are_the_newest(con: duckdb.DuckDBPyConnection) -> None:
    bought(con, 1, ("2020-01-01", "9"))
    bought(con, -1, ("2020-03-01", "9"))
    found = from_warehouse(con)
    assert found.as_of == date(2020, 3, 1)
    assert rows(found)[0] == [(0, 0, 60, 1)]


def test_a_warehouse_without_orders_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(LoadError, match="no orders"):
        from_warehouse(con)


def test_money_is_exact_and_the_digest_follows_every_statistic(con: duckdb.DuckDBPyConnection) -> None:
    bought(con, 1, ("2020-01-01", "9"), ("2020-01-05", "99999999.9999"))
    before = from_warehouse(con)
    assert Decimal(int(before.values.amount[0])) / 10_000 == Decimal("99999999.9999")
    assert from_warehouse(con).digest == before.digest
    con.execute("update cube.sales_orders set net_sales = 99999999.9998 where order_date = '2020-01-05'")
    assert from_warehouse(con).digest != before.digest


@pytest.mark.parametrize(
    ("x", "recency", "age"), [(1, 5.0, 4.0), (0, 1.0, 4.0), (2, 0.0, 4.0), (-1, 0.0, 4.0), (1, float("nan"), 4.0)]
)
def test_impossible_customers_are_refused(x: int, recency: float, age: float) -> None:
    with pytest.raises(ValueError, match=r"impossible|no number"):
        Purchases(np.array([x]), np.array([recency]), np.array([age]), np.array([1]))


@pytest.mark.parametrize(("days", "amount"), [(0, 5), (1, 0), (1, -5)])
def test_impossible_values_are_refused(days: int, amount: int) -> None:
    with pytest.raises(ValueError, match="impossible"):
        Values(np.array([days]), np.array([amount]), np.array([1]))
