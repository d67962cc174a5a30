"""A randomised mailing brought in as a source: two mailings and a holdout, drawn by seed, its files and staging models.

Like the public mailing experiments: most people do nothing, few buy, and what they spend is skewed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tests.support.installation import PROJECT, Installation

SOURCE = """
name: mailing
kind: files
root: ${MAILING_DIR}
timezone: UTC
feeds:
  customers:
    path: customers.jsonl
    class: descriptive
    canonical: customers
    extract: snapshot
    key: [customer_id]
    columns: {customer_id: VARCHAR, zip_code: VARCHAR}
  campaigns:
    path: campaigns.jsonl
    class: promotional
    canonical: campaigns
    extract: snapshot
    key: [campaign_id]
    columns: {campaign_id: VARCHAR, starts: DATE, ends: DATE}
  costs:
    path: costs.jsonl
    class: promotional
    canonical: campaign_costs
    extract: append
    key: [campaign_id, day, kind]
    cursor: day
    control_totals: {amount: amount}
    columns: {campaign_id: VARCHAR, day: DATE, kind: VARCHAR, amount: "DECIMAL(9, 2)"}
  contacts:
    path: contacts.jsonl
    class: promotional
    canonical: campaign_contacts
    extract: append
    key: [campaign_id, customer_id]
    cursor: day
    columns:
      campaign_id: VARCHAR
      customer_id: VARCHAR
      day: DATE
      mailing: VARCHAR
      newbie: BOOLEAN
      history: VARCHAR
      visit: BOOLEAN
      conversion: BOOLEAN
      spend: "DECIMAL(9, 2)"
  orders:
    path: orders.jsonl
    class: transactional
    canonical: order_lines
    extract: append
    key: [order_no]
    cursor: day
    control_totals: {net_amount: net, quantity: quantity}
    columns:
      order_no: VARCHAR
      customer_id: VARCHAR
      day: DATE
      sku: VARCHAR
      quantity: INTEGER
      net: "DECIMAL(9, 2)"
      cost: "DECIMAL(9, 2)"
"""
MAPPED = {
    "customers": ("customers", "customer_id, zip_code as region"),
    "campaigns": ("campaigns", "campaign_id, 'e-mail' as campaign_type, starts as start_date, ends as end_date"),
    "campaign_costs": ("costs", "campaign_id, day as cost_date, kind as cost_type, amount"),
    "campaign_contacts": (
        "contacts",
        "campaign_id, customer_id, 'email' as channel, day as assigned_date,"
        " case when mailing <> 'none' then day end as contacted_date,"
        " case when mailing = 'none' then 'holdout' else 'treated' end as contact_group,"
        " case when mailing <> 'none' then mailing end as arm,"
        " 'newbie=' || case when newbie then 'yes' else 'no' end || '; history=' || history as segments,"
        " visit as is_visited, conversion as is_converted, spend as outcome_value",
    ),
    "order_lines": (
        "orders",
        "order_no as order_id, 1 as line_no, day as order_date, customer_id, sku as product_id, 'online' as channel,"
        " quantity, net as unit_price, net as gross, 0 as discount_retail, 0 as discount_coupon, 0 as discount_match,"
        " net, cost",
    ),
}
LISTS = {"customers", "campaigns"}
ARMS = ("mens", "womens", "none")


@dataclass
class SmallMailing:
    """The mailing's files; change the frames and write them again."""

    folder: Path
    people: pd.DataFrame
    campaigns: pd.DataFrame
    costs: pd.DataFrame
    orders: pd.DataFrame

    def write(self) -> None:
        self.folder.mkdir(exist_ok=True)
        people = self.people
        frames = {
            "customers": people[["customer_id", "zip_code"]].drop_duplicates(),
            "contacts": people.drop(columns="zip_code"),
            "campaigns": self.campaigns,
            "costs": self.costs,
            "orders": self.orders,
        }
        for name, frame in frames.items():
            frame.to_json(self.folder / f"{name}.jsonl", orient="records", lines=True)

    def installation(self, folder: Path) -> Installation:
        """A home whose project has this source and no other enabled, brought in without touching anything else."""
        for name in ("dbt", "sources", "expectations"):
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs"))
        source, staging = folder / "sources" / "mailing", folder / "dbt" / "models" / "staging" / "mailing"
        suites = folder / "expectations" / "landing" / "mailing"
        for place in (source, staging, suites):
            place.mkdir()
        (source / "source.yml").write_text(SOURCE)
        (suites / "contacts.json").write_text(json.dumps(SUITE))
        tables = ", ".join(f"{{name: {feed}}}" for feed, _ in MAPPED.values())
        (staging / "sources.yml").write_text(f"sources: [{{name: mailing, schema: landing, tables: [{tables}]}}]\n")
        for canonical, (feed, columns) in MAPPED.items():
            (staging / f"stg_mailing__{canonical}.sql").write_text(
                "select _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,"
                f" _op as op{', _effective_from as effective_from' if canonical in LISTS else ''},\n    {columns}\n"
                f"from {{{{ landed('mailing', '{feed}') }}}} as landed\n"
            )
        env = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
        env |= {"CLIENTELE_SOURCES": "mailing", "MAILING_DIR": str(self.folder)}
        return Installation(folder / "home", self.folder, env)


SUITE = {
    "name": "landing.mailing.contacts",
    "expectations": [
        {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "customer_id"},
            "meta": {"rule": "customer_present", "severity": "quarantine", "why": "Nobody's outcome compares nobody."},
        }
    ],
}


def draw_mailing(folder: Path, people: int, seed: int = 17) -> SmallMailing:
    """`people` chosen on one day, a third each; visits of 10 to 18 %, a twelfth of them buys, log-normal amounts."""
    random = np.random.default_rng(seed)
    mailing = random.choice(ARMS, people)
    visit = random.random(people) < np.select([mailing == "mens", mailing == "womens"], [0.18, 0.15], 0.10)
    conversion = visit & (random.random(people) < np.where(mailing == "none", 0.06, 0.12))
    spend = np.where(conversion, np.round(random.lognormal(4.4, 0.8, people), 2), 0)
    return SmallMailing(
        folder / "mailing",
        pd.DataFrame(
            {
                "campaign_id": "spring",
                "customer_id": [f"c{number}" for number in range(people)],
                "day": "2024-03-01",
                "mailing": mailing,
                "newbie": random.random(people) < 0.5,
                "history": random.choice(["1) 0 - 100", "2) 100 - 200", "3) 200+"], people, p=[0.5, 0.3, 0.2]),
                "zip_code": random.choice(["Rural", "Surburban", "Urban"], people),
                "visit": visit,
                "conversion": conversion,
                "spend": spend,
            }
        ),
        pd.DataFrame({"campaign_id": ["spring"], "starts": ["2024-03-01"], "ends": ["2024-03-14"]}),
        pd.DataFrame(columns=["campaign_id", "day", "kind", "amount"]),
        pd.DataFrame(columns=["order_no", "customer_id", "day", "sku", "quantity", "net", "cost"]),
    )
