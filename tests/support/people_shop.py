"""An installation with a source of one's own that has personal data: customers, contacts and orders of a small shop."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from tests.support.installation import PROJECT, Installation

SOURCE = {
    "name": "people_shop",
    "kind": "files",
    "root": "${PEOPLE_SHOP_DIR}",
    "timezone": "Europe/Berlin",
    "feeds": {
        "customers": {
            "path": "customers.csv",
            "class": "descriptive",
            "canonical": "customers",
            "extract": "snapshot",
            "key": ["number"],
            "max_deleted": 1.0,
            "max_rejected": 1.0,
            "pii": {"first_name": "name", "last_name": "name", "mail": "email", "born": "birth_date"},
            "columns": {
                "number": "BIGINT",
                "city": "VARCHAR",
                "first_name": "VARCHAR",
                "last_name": "VARCHAR",
                "mail": "VARCHAR",
                "born": "VARCHAR",
            },
        },
        # who may be called where; looked up in, so it fills no canonical feed
        "phones": {
            "path": "phones.csv",
            "class": "descriptive",
            "canonical": [],
            "extract": "snapshot",
            "key": ["customer"],
            "max_deleted": 1.0,
            "pii": {"phone": "phone"},
            "columns": {"customer": "VARCHAR", "phone": "VARCHAR"},
        },
        "lines": {
            "path": "lines.csv",
            "class": "transactional",
            "canonical": ["order_lines"],
            "extract": "append",
            "key": ["id"],
            "cursor": "sold_at",
            "control_totals": {"net_amount": "net"},
            "columns": {"id": "BIGINT", "sold_at": "TIMESTAMP", "number": "BIGINT", "net": "DECIMAL(19, 4)"},
        },
    },
}
STAGING = {
    "customers": """
        select _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
            _op as op, _effective_from as effective_from,
            'C' || cast(number as varchar) as customer_id, 'person' as customer_type, city,
            _email_key as email_key
        from {{ landed('people_shop', 'customers') }} as landed
    """,
    "order_lines": """
        select _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
            _op as op, cast(id as varchar) as order_id, 1 as line_no,
            _business_date as order_date, sold_at as ordered_at_local,
            'C' || cast(number as varchar) as customer_id, 'P1' as product_id, 'S1' as store_id, 'store' as channel,
            1 as quantity, net as gross, net, 0 as discount_retail, 0 as discount_coupon, 0 as discount_match
        from {{ landed('people_shop', 'lines') }} as landed
    """,
}
SUITE = {
    "name": "landing.people_shop.customers",
    "expectations": [
        {
            "type": "expect_rows_to_meet",
            "kwargs": {"condition": "contains(mail, '@')"},
            "meta": {"rule": "mail_has_an_at", "severity": "quarantine", "why": "Nobody can be reached by it."},
        }
    ],
}


def people_shop(folder: Path) -> Installation:
    """A home of its own with a copy of the dbt project and with `people_shop` as its only source."""
    shutil.copytree(PROJECT / "dbt", folder / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    staging = folder / "dbt" / "models" / "staging" / "people_shop"
    staging.mkdir(parents=True)
    for feed, query in STAGING.items():
        (staging / f"stg_people_shop__{feed}.sql").write_text(query, encoding="utf-8")
    tables = [{"name": name} for name in SOURCE["feeds"]]  # type: ignore[attr-defined]
    sources = {"sources": [{"name": "people_shop", "schema": "landing", "tables": tables}]}
    (staging / "sources.yml").write_text(yaml.safe_dump(sources), encoding="utf-8")
    (folder / "sources" / "people_shop").mkdir(parents=True)
    (folder / "sources" / "people_shop" / "source.yml").write_text(yaml.safe_dump(SOURCE), encoding="utf-8")
    suites = folder / "expectations" / "landing" / "people_shop"
    suites.mkdir(parents=True)
    (suites / "customers.json").write_text(json.dumps(SUITE), encoding="utf-8")
    data = folder / "data"
    data.mkdir()
    env = {
        "CLIENTELE_SOURCES": "people_shop",
        "CLIENTELE_SOURCES_DIR": str(folder / "sources"),
        "CLIENTELE_EXPECTATIONS_DIR": str(folder / "expectations"),
        "CLIENTELE_DBT_DIR": str(folder / "dbt"),
        "PEOPLE_SHOP_DIR": str(data),
    }
    return Installation(folder / "home", data, env)
