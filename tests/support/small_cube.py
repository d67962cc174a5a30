"""A warehouse of a few tables and its metric dictionary, written by hand: what the cube's own rules are tested on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

TABLES = """
create schema star; create schema cube; create schema ops;
create table star.dim_date as
    select cast(strftime(day, '%Y%m%d') as integer) as date_key, cast(day as date) as calendar_date,
        year(day) as calendar_year, strftime(day, '%Y-Q') || quarter(day) as year_quarter,
        strftime(day, '%Y-%m') as year_month, isoyear(day) as iso_year, strftime(day, '%G-W%V') as iso_year_week
    from range(timestamp '2015-01-01', timestamp '2021-02-01', interval 1 day) as days(day);
create table star.dim_store (store_key integer, region varchar, store_id varchar);
create table star.dim_product (product_key integer, department varchar, category varchar);
create table star.fct_sales_line (
    order_id varchar, order_date date, order_date_key integer, store_key integer, product_key integer,
    mastered_customer_key bigint, net_amount decimal(19, 4)
);
create table star.fct_contact (
    contact_date date, contact_date_key integer, store_key integer, mastered_customer_key bigint
);
create table star.fct_redemption (redeemed_date date, redeemed_date_key integer, mastered_customer_key bigint);
create table ops.load (load_date date, status varchar);
"""
ROLLUPS = """
create table cube.sales_days as
    select order_date, store_key, count(*) as lines, sum(net_amount) as net_sales from star.fct_sales_line group by all;
create table cube.sales_people as
    select order_date, store_key, order_id, mastered_customer_key, count(*) as lines, sum(net_amount) as net_sales
    from star.fct_sales_line group by all;
create table cube.sales_months as
    select cast(date_trunc('month', order_date) as date) as month_start_date, region, count(*) as lines,
        sum(net_amount) as net_sales
    from star.fct_sales_line inner join star.dim_store using (store_key) group by all;
"""
PERSON = "case when mastered_customer_key > 0 then mastered_customer_key end"


def _measure(agg: str, expr: str, data_type: str, unit: str) -> dict[str, str]:
    return {"agg": agg, "expr": expr, "type": data_type, "unit": unit, "description": "-"}


def _rollup(name: str, period: str, day: str, **further: Any) -> dict[str, Any]:
    given = {"grain": None, "levels": {}, "keys": {}, "summed": ["lines", "net_sales"], "counted": {}, "exact": []}
    return {"name": name, "table": f"cube.{name}", "period": period, "day": day, **given, **further}


PEOPLE = _measure("count_distinct", PERSON, "bigint", "count")
SOURCES: dict[str, dict[str, Any]] = {
    "sales": {
        "table": "star.fct_sales_line",
        "fact": "star.fct_sales_line",
        "day": "order_date",
        "entities": {
            "calendar": "order_date_key", "store": "store_key", "product": "product_key",
            "customer_now": "mastered_customer_key",
        },
        "people": "buyers",
        "measures": {
            "net_sales": _measure("sum", "net_amount", "decimal(19, 4)", "currency"),
            "lines": _measure("sum", "1", "bigint", "count"),
            "orders": _measure("count_distinct", "order_id", "bigint", "count"),
            "buyers": PEOPLE,
        },
        "rollups": [
            _rollup("sales_days", "day", "order_date", keys={"store": "store_key"}),
            _rollup(
                "sales_people", "day", "order_date", keys={"store": "store_key"},
                counted={"orders": "order_id", "buyers": "mastered_customer_key"},
            ),
            _rollup("sales_months", "month", "month_start_date", levels={"store.region": "region"}),
        ],
    },
    "contacts": {
        "table": "star.fct_contact",
        "fact": "star.fct_contact",
        "day": "contact_date",
        "entities": {
            "calendar": "contact_date_key", "store": "store_key", "customer_now": "mastered_customer_key",
        },
        "people": "people_contacted",
        "measures": {"contacts": _measure("sum", "1", "bigint", "count"), "people_contacted": PEOPLE},
        "rollups": [],
    },
    "redemptions": {
        "table": "star.fct_redemption",
        "fact": "star.fct_redemption",
        "day": "redeemed_date",
        "entities": {"calendar": "redeemed_date_key", "customer_now": "mastered_customer_key"},
        "people": "redeemers",
        "measures": {"redemptions": _measure("sum", "1", "bigint", "count"), "redeemers": PEOPLE},
        "rollups": [],
    },
}  # fmt: skip
DIMENSIONS: dict[str, dict[str, Any]] = {
    "calendar": {
        "table": "star.dim_date",
        "key": "date_key",
        "levels": {
            "day": "calendar_date", "week": "iso_year_week", "month": "year_month", "quarter": "year_quarter",
            "year": "calendar_year", "iso_year": "iso_year",
        },
        "hierarchies": {"calendar": ["year", "quarter", "month", "day"], "iso": ["iso_year", "week", "day"]},
    },
    "store": {
        "table": "star.dim_store",
        "key": "store_key",
        "levels": {"region": "region", "store_id": "store_id"},
        "hierarchies": {"store": ["region", "store_id"]},
    },
    "product": {
        "table": "star.dim_product",
        "key": "product_key",
        "levels": {"department": "department", "category": "category"},
        "hierarchies": {"product": ["department", "category"]},
    },
}  # fmt: skip
METRICS: dict[str, dict[str, Any]] = {
    "net_sales": {"type": "simple", "measure": "net_sales"},
    "lines": {"type": "simple", "measure": "lines"},
    "orders": {"type": "simple", "measure": "orders"},
    "buyers": {"type": "simple", "measure": "buyers"},
    "contacts": {"type": "simple", "measure": "contacts"},
    "redemptions": {"type": "simple", "measure": "redemptions"},
    "average_order_value": {"type": "ratio", "numerator": "net_sales", "denominator": "orders"},
    "net_sales_year_to_date": {"type": "cumulative", "measure": "net_sales", "window": None, "grain_to_date": "year"},
    "retention_rate": {
        "type": "derived", "expr": "retained_customers / nullif(retained_customers + lost_customers, 0)",
        "metrics": ["retained_customers", "lost_customers"],
    },
    "repeat_buyers": {"type": "repeat", "of": "sales", "measures": ["buyers", "orders"]},
    "conversion": {
        "type": "conversion", "measures": ["contacts"], "base": "contacts", "conversion": "redemptions",
        "entity": "customer_now", "window": {"count": 60, "granularity": "day"},
    },
    **{
        f"{movement}_customers": {"type": "movement", "movement": movement, "of": "sales", "measures": ["buyers"]}
        for movement in ("new", "retained", "reactivated", "lost")
    },
}  # fmt: skip
TYPES = {"calendar.day": "date", "calendar.year": "integer", "calendar.iso_year": "integer"}
UNITS = {"average_order_value": "currency", "conversion": "ratio", "retention_rate": "ratio"}


@dataclass
class SmallCube:
    """Stores `1`, `2` … of `regions`, products of `products`; lines, contacts and redemptions as they are given.

    Attributes:
        lines: (day, store, product, person, money) each, an order of its own; stores and products count from 1.
        contacts: (day, store, person). redemptions: (day, person).
        policies: role -> definition.
    """

    regions: Sequence[str] = ("North", "North", "South")
    products: Sequence[tuple[str, str]] = (("GROCERY", "BREAD"), ("GROCERY", "MILK"), ("DRUG", "SOAP"))
    lines: list[tuple[date, int, int, int, int]] = field(default_factory=list)
    contacts: list[tuple[date, int, int]] = field(default_factory=list)
    redemptions: list[tuple[date, int]] = field(default_factory=list)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        with duckdb.connect(str(path)) as con:
            con.execute(TABLES)
            for nth, region in enumerate(self.regions, start=1):
                con.execute("insert into star.dim_store values (?, ?, ?)", [nth, region, str(nth)])
            for nth, (department, category) in enumerate(self.products, start=1):
                con.execute("insert into star.dim_product values (?, ?, ?)", [nth, department, category])
            for nth, (day, *line) in enumerate(self.lines):
                con.execute(
                    "insert into star.fct_sales_line values (?, ?, ?, ?, ?, ?, ?)", [f"o{nth}", *_on(day), *line]
                )
            for day, *contact in self.contacts:
                con.execute("insert into star.fct_contact values (?, ?, ?, ?)", [*_on(day), *contact])
            for day, person in self.redemptions:
                con.execute("insert into star.fct_redemption values (?, ?, ?)", [*_on(day), person])
            con.execute(ROLLUPS)
            self._catalog(con)
        return path

    def _catalog(self, con: duckdb.DuckDBPyConnection) -> None:
        columns = ("kind", "name", "subject", "label", "description", "data_type", "unit", "source", "definition")
        con.execute(f"create table cube.catalog ({', '.join(f'{column} varchar' for column in columns)})")
        rows: list[dict[str, Any]] = [
            {"kind": "subject", "name": "sales", "definition": ["net_sales"]},
            *({"kind": "source", "name": name, "definition": given} for name, given in SOURCES.items()),
            *({"kind": "dimension", "name": name, "definition": given} for name, given in DIMENSIONS.items()),
            *(
                {"kind": "level", "name": f"{name}.{level}", "data_type": TYPES.get(f"{name}.{level}", "varchar")}
                for name, given in DIMENSIONS.items()
                for level in given["levels"]
            ),
            *(
                {"kind": "metric", "name": name, "unit": UNITS.get(name), "definition": given}
                for name, given in METRICS.items()
            ),
            *({"kind": "policy", "name": name, "definition": given} for name, given in self.policies.items()),
        ]
        for row in rows:
            told = {"subject": "sales", "label": row["name"], "description": "-"} | row
            told["definition"] = json.dumps(row["definition"]) if "definition" in row else None
            con.execute(f"insert into cube.catalog values ({', '.join('?' * 9)})", [told.get(name) for name in columns])


def _on(day: date) -> list[Any]:
    """A day and its key."""
    return [day, int(f"{day:%Y%m%d}")]
