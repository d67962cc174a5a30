"""A service company small enough to work out by hand: its files, source.yml, a suite and staging models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.installation import PROJECT, Installation

SOURCE = """
name: service
kind: files
root: ${SERVICE_DIR}
timezone: UTC
feeds:
"""
# feed -> (file, class, how it is extracted, columns)
FEEDS = {
    "customers": ("descriptive", "extract: snapshot, key: [customer_id]", "customer_id, income_band"),
    "employees": ("descriptive", "extract: snapshot, key: [employee_id]", "employee_id, team"),
    "households": (
        "descriptive",
        "extract: snapshot, key: [household_id, customer_id]",
        "household_id, customer_id, weight DECIMAL(9,4)",
    ),
    "orders": (
        "transactional",
        "extract: upsert, key: [order_id], cursor: ordered_at, updated_at: changed_at, overlap_minutes: 14400,"
        " deleted_when: gone",
        "order_id, customer_id, employee_id, ordered_at TIMESTAMP, approved_at TIMESTAMP, shipped_at TIMESTAMP,"
        " delivered_at TIMESTAMP, promised_at TIMESTAMP, status, freight DECIMAL(9,2), changed_at TIMESTAMP,"
        " gone BOOLEAN",
    ),
    "payments": (
        "transactional",
        "extract: upsert, key: [payment_id], cursor: paid_at, updated_at: changed_at, deleted_when: gone",
        "payment_id, order_id, customer_id, method, amount DECIMAL(9,2), paid_at TIMESTAMP, changed_at TIMESTAMP,"
        " gone BOOLEAN",
    ),
    "campaign_costs": (
        "promotional",
        "extract: append, key: [campaign_id, day, kind], cursor: day, control_totals: {amount: amount}",
        "campaign_id, day DATE, kind, amount DECIMAL(9,2)",
    ),
    "interactions": (
        "service",
        "extract: append, key: [interaction_id], cursor: started_at",
        "interaction_id, customer_id, employee_id, channel, queued_at TIMESTAMP, started_at TIMESTAMP,"
        " first_reply_at TIMESTAMP, ended_at TIMESTAMP",
    ),
    "churn": (
        "service",
        "extract: upsert, key: [customer_id, left_on], cursor: left_on, updated_at: changed_at, deleted_when: gone",
        "customer_id, left_on DATE, kind, reason, changed_at TIMESTAMP, gone BOOLEAN",
    ),
    "opportunities": (
        "promotional",
        "extract: upsert, key: [opportunity_id], cursor: entered, updated_at: changed_at",
        "opportunity_id, customer_id, employee_id, entered DATE, quoted DATE, won DATE, lost DATE, stage,"
        " amount DECIMAL(9,2), changed_at TIMESTAMP",
    ),
}
# canonical feed -> what staging maps beyond the columns every feed has
MAPPED = {
    "customers": "customer_id, income_band",
    "employees": "employee_id, team",
    "households": "household_id, customer_id, weight",
    "orders": "order_id, cast(ordered_at as date) as order_date, customer_id, employee_id, 'online' as channel,"
    " ordered_at, approved_at, shipped_at, delivered_at, promised_at, status as order_status, freight",
    "payments": "payment_id, order_id, customer_id, method as payment_method, amount, paid_at,"
    " cast(paid_at as date) as paid_date",
    "campaign_costs": "campaign_id, day as cost_date, kind as cost_type, amount",
    "interactions": "interaction_id, customer_id, channel, employee_id, queued_at, started_at, first_reply_at,"
    " ended_at, cast(started_at as date) as interaction_date",
    "churn": "customer_id, left_on as churned_date, kind as churn_type, reason as reason_id",
    "opportunities": "opportunity_id, customer_id, employee_id, stage, entered as entered_date, quoted as quoted_date,"
    " won as won_date, lost as lost_date, amount",
}
CANONICAL = {"churn": "churn_events"}
LISTS = {"customers", "employees", "households"}
SUITE = {
    "name": "landing.service.payments",
    "expectations": [
        {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "payment_id"},
            "meta": {"rule": "payment_id_present", "severity": "quarantine", "why": "No payment is told from another."},
        }
    ],
}


class SmallService:
    """The company's files; change `rows` and write them again.

    Attributes:
        rows: per feed, by any name, a row as the source gives it; a column left out is NULL.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "service"
        self.rows: dict[str, dict[Any, dict[str, Any]]] = {feed: {} for feed in FEEDS}

    def set(self, feed: str, name: object, **values: Any) -> None:
        self.rows[feed][name] = values

    def order(self, number: str, customer: str, ordered: str, changed: str, **more: Any) -> None:
        """`ordered` and `changed` are month, day and hour of 2017: `03-01 09`; the same of the others."""
        row: dict[str, Any] = {
            "order_id": number,
            "customer_id": customer,
            "employee_id": "e1",
            "ordered_at": f"2017-{ordered}:00:00",
        }
        row |= {"changed_at": f"2017-{changed}:00:00", "freight": 5, "status": "new", "gone": False}
        self.set("orders", number, **(row | more))

    def payment(self, number: str, customer: str, method: str, amount: float, changed: str, **more: Any) -> None:
        row: dict[str, Any] = {
            "payment_id": number,
            "order_id": "o1",
            "customer_id": customer,
            "method": method,
            "amount": amount,
        }
        row |= {"paid_at": "2017-03-01 12:00:00", "changed_at": f"2017-{changed}:00:00", "gone": False}
        self.set("payments", number, **(row | more))

    def opportunity(self, number: str, stage: str, changed: str, **more: Any) -> None:
        row: dict[str, Any] = {
            "opportunity_id": number,
            "customer_id": "c1",
            "employee_id": "e1",
            "entered": "2017-03-01",
        }
        row |= {"stage": stage, "amount": 1000, "changed_at": f"2017-{changed}:00:00"}
        self.set("opportunities", number, **(row | more))

    def left(self, customer: str, day: str, changed: str, **more: Any) -> None:
        row: dict[str, Any] = {"customer_id": customer, "left_on": f"2017-{day}", "gone": False}
        self.set("churn", customer, **(row | {"changed_at": f"2017-{changed}:00:00"} | more))

    def cost(self, day: str, kind: str, amount: float) -> None:
        self.set("campaign_costs", (day, kind), campaign_id="k1", day=f"2017-{day}", kind=kind, amount=amount)

    def write(self) -> None:
        self.folder.mkdir(exist_ok=True)
        for feed, rows in self.rows.items():
            names = [column.split()[0] for column in FEEDS[feed][2].split(", ")]
            lines = [json.dumps(dict.fromkeys(names) | row) for row in rows.values()]
            (self.folder / f"{feed}.jsonl").write_text("".join(f"{line}\n" for line in lines))

    def installation(self, folder: Path) -> Installation:
        """A home whose project has this source and no other enabled, brought in without touching anything else."""
        for name in ("dbt", "sources", "expectations"):
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs"))
        source, suites = folder / "sources" / "service", folder / "expectations" / "landing" / "service"
        staging = folder / "dbt" / "models" / "staging" / "service"
        for place in (source, suites, staging):
            place.mkdir()
        (source / "source.yml").write_text(SOURCE + "".join(map(_declared, FEEDS)))
        (suites / "payments.json").write_text(json.dumps(SUITE))
        tables = ", ".join(f"{{name: {feed}}}" for feed in FEEDS)
        (staging / "sources.yml").write_text(f"sources: [{{name: service, schema: landing, tables: [{tables}]}}]\n")
        for feed in FEEDS:
            (staging / f"stg_service__{CANONICAL.get(feed, feed)}.sql").write_text(_staging(feed))
        env = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
        env |= {"CLIENTELE_SOURCES": "service", "SERVICE_DIR": str(self.folder)}
        return Installation(folder / "home", self.folder, env)


def _declared(feed: str) -> str:
    kind, extract, columns = FEEDS[feed]
    canonical = CANONICAL.get(feed, feed)
    typed = ", ".join(
        f'{name}: "{rest[0] if rest else "VARCHAR"}"' for name, *rest in (c.split(" ", 1) for c in columns.split(", "))
    )
    return f"  {feed}: {{path: {feed}.jsonl, class: {kind}, canonical: {canonical}, {extract}, columns: {{{typed}}}}}\n"


def _staging(feed: str) -> str:
    change = "_effective_from as effective_from" if feed in LISTS else "_superseded as is_superseded"
    return (
        "select _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op,"
        f" _updated_at as updated_at, {change},\n    {MAPPED[feed]}\n"
        f"from {{{{ landed('service', '{feed}') }}}} as landed\n"
    )
