"""Answers from the fact itself, written without the metric dictionary: what the cube must agree with.

A wide table of all lines, each with the members it had by its date, not by the keys the fact carries; periods by
Python's calendar.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

Row = tuple[Any, ...]

TEXT = {
    "product": ["department", "category", "product_type", "product_id", "brand"],
    "customer": ["age_band", "income_band", "gender", "country", "city", "customer_id"],
    "store": ["store_id", "country", "store_name"],
}
LEVELS = {
    "calendar.year": "year(order_date)",
    "calendar.quarter": "strftime(order_date, '%Y') || '-Q' || cast((month(order_date) + 2) // 3 as varchar)",
    "calendar.month": "strftime(order_date, '%Y-%m')",
    "calendar.week": "strftime(order_date, '%G-W%V')",
    "calendar.iso_year": "cast(strftime(order_date, '%G') as integer)",
    "calendar.day": "order_date",
    "calendar.weekday": "dayname(order_date)",
    **{f"{dim}.{level}": f"coalesce({dim}_{level}, '(unknown)')" for dim, levels in TEXT.items() for level in levels},
    "product_now.department": "coalesce(now_department, '(unknown)')",
    "customer_now.age_band": "coalesce(now_age_band, '(unknown)')",
    "channel.channel_code": "channel",
}
METRICS = {
    "net_sales": "sum(net_amount)",
    "gross_sales": "sum(gross_amount)",
    "units": "sum(quantity)",
    "lines": "nullif(count(*), 0)",
    "orders": "count(distinct order_id)",
    "buyers": "count(distinct person)",
    "average_order_value": "cast(sum(net_amount) / nullif(count(distinct order_id), 0) as decimal(19, 4))",
    "items_per_basket": "sum(quantity) / nullif(count(distinct order_id), 0)",
    "sales_per_buyer": "cast(sum(net_amount) / nullif(count(distinct person), 0) as decimal(19, 4))",
    "orders_per_buyer": "count(distinct order_id) / nullif(count(distinct person), 0)",
    "discount_rate": "1 - sum(net_amount) / nullif(sum(gross_amount), 0)",
    "cost": "sum(cost_amount)",
    "gross_margin": "sum(net_amount - cost_amount)",
    "gross_margin_rate": "sum(net_amount - cost_amount)"
    " / nullif(sum(net_amount) filter (where cost_amount is not null), 0)",
}  # fmt: skip


class Lines:
    """All lines of a warehouse, wide."""

    def __init__(self, warehouse: Path) -> None:
        self.con = duckdb.connect()
        self.con.execute(f"attach '{warehouse.resolve()}' as w (read_only)")
        products = ", ".join(f"p.{level} as product_{level}" for level in TEXT["product"])
        customers = ", ".join(f"c.{level} as customer_{level}" for level in TEXT["customer"])
        stores = ", ".join(f"s.{level} as store_{level}" for level in TEXT["store"])
        self.con.execute(f"""
            create table lines as
            select f.order_date, f.order_id, f.net_amount, f.gross_amount, f.quantity, f.cost_amount,
                {products}, {customers}, {stores}, ch.channel_code as channel,
                n.department as now_department, m.age_band as now_age_band,
                case when b.mastered_customer_key > 0 then b.mastered_customer_key end as person
            from w.star.fct_sales_line f
            left join w.star.dim_product p on p.product_durable_key = f.product_durable_key
                and (p.valid_from is null or f.order_date >= p.valid_from and f.order_date < p.valid_to)
            left join w.star.dim_customer c on c.customer_durable_key = f.customer_durable_key
                and (c.valid_from is null or f.order_date >= c.valid_from and f.order_date < c.valid_to)
            left join w.star.dim_store s on s.store_key = f.store_key
            left join w.star.dim_channel ch on ch.channel_key = f.channel_key
            left join (select product_durable_key, max_by(department, coalesce(valid_from, date '1900-01-01'))
                as department from w.star.dim_product group by all) n on n.product_durable_key = f.product_durable_key
            left join w.star.bridge_identity b on b.customer_durable_key = f.customer_durable_key and b.is_current
            left join w.star.dim_mastered_customer m on m.mastered_customer_key = b.mastered_customer_key
        """)
        self.first, self.last = self.con.execute("select min(order_date), max(order_date) from lines").fetchall()[0]

    def members(self, level: str) -> list[Any]:
        found = self.con.execute(f"select distinct {LEVELS[level]} as m from lines order by m nulls last").fetchall()
        return [member for (member,) in found if member is not None]

    def answer(self, metrics: Sequence[str], by: Sequence[str], where: Sequence[str] = ()) -> list[Row]:
        """`where`: SQL over columns of LEVELS, as `condition` writes it."""
        levels = [LEVELS[level] for level in by]
        columns = ", ".join([*levels, *(METRICS[metric] for metric in metrics)])
        tests = f" where {' and '.join(where)}" if where else ""
        grouped = f" group by {', '.join(levels)}" if levels else ""
        return self.con.execute(f"select {columns} from lines{tests}{grouped}").fetchall()

    def within(
        self, metric: str, period: str, day: date, window: str, by: Sequence[str], where: Sequence[str]
    ) -> list[Row]:
        """A metric over the days that a window takes, seen from the period of a day."""
        low, high = days_of(window, period, day, self.last)
        taken = f"order_date between date '{low}' and date '{high}'"
        return [
            row for row in self.answer([metric], by, [*where, taken])
            if self.con.execute(f"select count(*) from lines where {' and '.join([*where, taken])}").fetchall()[0][0]
        ]  # fmt: skip


def condition(level: str, operator: str, members: Sequence[Any]) -> tuple[str, str]:
    """The same condition twice: as the cube reads it, and over the lines."""
    listed = [str(m) if isinstance(m, int) else "'" + str(m).replace("'", "''") + "'" for m in members]
    right = f"({', '.join(listed)})" if operator in {"in", "not in"} else listed[0]
    return f"{level} {operator} {right}", f"({LEVELS[level]}) {operator} {right}"


def bounds(period: str, day: date) -> tuple[date, date]:
    """First and last day of the period of a day."""
    if period == "day":
        return day, day
    if period == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    first_month = (day.month - 1) // months * months + 1
    last_month = first_month + months - 1
    return date(day.year, first_month, 1), date(day.year, last_month, monthrange(day.year, last_month)[1])


def months_back(day: date, months: int) -> date:
    """The same day so many months before; the last of a shorter month."""
    nth = day.year * 12 + day.month - 1 - months
    year, month = divmod(nth, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def days_of(window: str, period: str, day: date, last: date) -> tuple[date, date]:
    """First and last day a window takes, seen from the period of a day; no window looks past the last known day."""
    first, end = bounds(period, day)
    closing = min(end, last)
    if window == "previous_period":
        return bounds(period, first - timedelta(days=1))
    if window == "previous_year":
        if period == "week":
            return first - timedelta(days=364), end - timedelta(days=364)
        return bounds(period, months_back(first, 12))
    if window == "rolling_12_months":
        return months_back(closing, 12) + timedelta(days=1), closing
    if window.startswith("rolling_"):
        return closing - timedelta(days=int(window.split("_")[1]) - 1), closing
    return bounds(window.removesuffix("_to_date"), closing)[0], closing


def label(period: str, day: date) -> Any:
    """What the calendar calls the period of a day."""
    iso = day.isocalendar()
    return {
        "day": day,
        "week": f"{iso.year}-W{iso.week:02}",
        "month": f"{day:%Y-%m}",
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": day.year,
    }[period]


def comparable(rows: Sequence[Sequence[Any]]) -> list[Row]:
    """Rows as they can be compared: money exact, doubles to nine digits, in one order."""
    return sorted((tuple(_value(value) for value in row) for row in rows), key=repr)


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | date):
        return value
    # money is exact, a double's last digits are not
    return float(value) if isinstance(value, Decimal) else float(f"{value:.9g}")
