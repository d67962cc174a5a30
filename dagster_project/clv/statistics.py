"""What the models need to know of customers, grouped: how often, how lately, since when, and for how much.

Customers with the same statistics are the same to every model here, so they are counted and not listed. The statistics
are whole days and exact money: what SQL computes of a customer equals the key of its group, and the artefacts name
nobody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dagster_project.errors import LoadError

if TYPE_CHECKING:
    import duckdb

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SCALE = 10_000  # money is DECIMAL(19,4): amounts are kept as whole ten-thousandths


@dataclass(frozen=True)
class Purchases:
    """Groups of customers alike in their purchases, in one unit of time.

    Attributes:
        frequency: distinct days with a purchase after the first.
        recency: from the first purchase to the last; 0 without a repeat.
        age: from the first purchase to the day everything is seen from.
        customers: how many customers are in the group.
    """

    frequency: Integers
    recency: Floats
    age: Floats
    customers: Integers

    def __post_init__(self) -> None:
        x, recency, age = self.frequency, self.recency, self.age
        if not len(x) == len(recency) == len(age) == len(self.customers):
            raise ValueError("the statistics differ in length")
        if not (np.isfinite(recency).all() and np.isfinite(age).all()):
            raise ValueError("a recency or age is no number")
        if ((x < 0) | (recency < 0) | (recency > age) | ((x == 0) != (recency == 0)) | (self.customers < 1)).any():
            raise ValueError("a group is impossible: 0 <= recency <= age, and recency is 0 just without a repeat")

    @property
    def total(self) -> int:
        return int(self.customers.sum())

    @property
    def repeaters(self) -> int:
        return int(self.customers[self.frequency > 0].sum())


@dataclass(frozen=True)
class Values:
    """Groups of customers alike in what their repeat purchases brought.

    Attributes:
        days: repeat days with net sales above zero.
        amount: net sales of those days, in ten-thousandths.
        customers: how many customers are in the group; those without such a day are one group (0, 0).
    """

    days: Integers
    amount: Integers
    customers: Integers

    def __post_init__(self) -> None:
        if not len(self.days) == len(self.amount) == len(self.customers):
            raise ValueError("the statistics differ in length")
        if ((self.days < 0) | ((self.days > 0) != (self.amount > 0)) | (self.customers < 1)).any():
            raise ValueError("a group is impossible: an amount above zero belongs to days, and days to an amount")

    @property
    def money(self) -> Floats:
        return self.amount / SCALE


@dataclass(frozen=True)
class Statistics:
    """All that a fit reads, as of the newest day of orders."""

    as_of: date
    purchases: Purchases
    values: Values

    @property
    def digest(self) -> str:
        """Equal digests mean equal statistics: there is nothing new to fit."""
        found = hashlib.sha256(self.as_of.isoformat().encode())
        one, other = self.purchases, self.values
        for column in (one.frequency, one.recency, one.age, one.customers, other.days, other.amount, other.customers):
            found.update(np.ascontiguousarray(column).tobytes())
        return found.hexdigest()


DAYS = """
    create or replace temp table clv_days as
    select mastered_customer_key, order_date, sum(net_sales) as net_sales
    from cube.sales_orders
    where mastered_customer_key > 0
    group by mastered_customer_key, order_date
"""
CUSTOMERS = """
    create or replace temp table clv_customers as
    select
        mastered_customer_key,
        min(order_date) as first_date,
        max(order_date) as last_date,
        count(*) - 1 as frequency
    from clv_days
    group by mastered_customer_key
"""
# The days bought on are what the models count: a customer's orders of one day are one purchase.
PURCHASES = """
    select
        frequency,
        cast(last_date - first_date as double) as recency,
        cast(cast(? as date) - first_date as double) as age,
        count(*) as customers
    from clv_customers
    group by 1, 2, 3
    order by 1, 2, 3
"""
# A repeat day that brought nothing, or less than was given back, is a purchase without a value: the value of a purchase
# is modelled above zero, so such a day counts in `frequency` and not here.
VALUES = """
    with
    paid as (
        select
            customers.mastered_customer_key,
            count(days.order_date) as days,
            coalesce(sum(days.net_sales), 0) as amount
        from clv_customers as customers
        left join clv_days as days
            on
                days.mastered_customer_key = customers.mastered_customer_key
                and days.order_date > customers.first_date
                and days.net_sales > 0
        group by customers.mastered_customer_key
    )

    select days, cast(amount * 10000 as bigint) as amount, count(*) as customers
    from paid
    group by 1, 2
    order by 1, 2
"""


def from_warehouse(con: duckdb.DuckDBPyConnection) -> Statistics:
    """The statistics of a warehouse's known customers, in days, as of the newest order date.

    Args:
        con: a connection whose default database is the warehouse; may be read-only.

    Raises:
        LoadError: the warehouse has no orders.
    """
    newest = con.execute("select max(order_date) from cube.sales_orders").fetchall()[0][0]
    if newest is None:
        raise LoadError("there are no orders to fit anything on", remedy="load a source with orders first")
    con.execute(DAYS)
    con.execute(CUSTOMERS)
    bought = con.execute(PURCHASES, [newest]).fetchnumpy()
    paid = con.execute(VALUES).fetchnumpy()
    con.execute("drop table clv_days")
    con.execute("drop table clv_customers")
    purchases = Purchases(
        np.asarray(bought["frequency"], np.int64),
        np.asarray(bought["recency"], np.float64),
        np.asarray(bought["age"], np.float64),
        np.asarray(bought["customers"], np.int64),
    )
    values = Values(*(np.asarray(paid[name], np.int64) for name in ("days", "amount", "customers")))
    return Statistics(newest, purchases, values)
