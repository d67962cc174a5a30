"""A second source is enabled: one feed of it fills several canonical feeds; only its own folders are touched."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import PROJECT, Installation
from tests.support.small_shop import SmallShop

pytestmark = pytest.mark.long

SOURCE = """
name: kiosk
kind: files
root: ${KIOSK_DIR}
timezone: Europe/London
feeds:
  slips:
    description: What the kiosk rang up, goods and vouchers alike.
    path: slips.csv
    class: transactional
    system: kiosk_till
    canonical: [order_lines, coupon_redemptions, products]
    extract: append
    key: [slip]
    cursor: day
    control_totals: {net_amount: paid, quantity: pieces}
    columns: {slip: BIGINT, day: DATE, kind: VARCHAR, what: VARCHAR, pieces: BIGINT, paid: "DECIMAL(9, 2)"}
"""
SUITE = {
    "name": "landing.kiosk.slips",
    "expectations": [
        {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "slip"},
            "meta": {
                "rule": "slip_present",
                "severity": "quarantine",
                "why": "Without it no slip is told from another.",
            },
        }
    ],
}
SLIPS = """slip,day,kind,what,pieces,paid
1,2017-03-01,sale,tea,2,3.50
2,2017-03-01,voucher,V7,0,0.00
3,2017-03-02,sale,tea,1,1.75
4,2017-03-02,sale,cake,1,2.20
"""
# The folder a source's own staging models lie in; base_ models are read by them.
STAGING = {
    "base_kiosk__slips": """
select *, _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row
from {{ landed('kiosk', 'slips') }} as landed
""",
    "stg_kiosk__order_lines": """
select
    source_system, source_feed, load_id, load_row, cast(slip as varchar) as order_id, 1 as line_no, day as order_date,
    what as product_id, pieces as quantity, paid as gross, 0 as discount_retail, 0 as discount_coupon,
    0 as discount_match, paid as net
from {{ ref('base_kiosk__slips') }}
where kind = 'sale'
""",
    "stg_kiosk__coupon_redemptions": """
select source_system, source_feed, load_id, load_row, what as coupon_id, day as redeemed_date
from {{ ref('base_kiosk__slips') }}
where kind = 'voucher'
""",
    "stg_kiosk__products": """
select
    _system as source_system, _feed as source_feed, min(_load_id) as load_id, min(_row) as load_row, 'insert' as op,
    date '1900-01-01' as effective_from, what as product_id, 'kiosk' as department
from {{ landed('kiosk', 'slips', history=true) }} as landed
where kind = 'sale'
group by _system, _feed, what
""",
}
SOURCES_YML = "sources: [{name: kiosk, schema: landing, tables: [{name: slips}]}]\n"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, list[dict[str, Any]]]:
    """One night with the shop alone, then one with the kiosk enabled, then one more."""
    folder = tmp_path_factory.mktemp("second_source")
    for name in ("dbt", "sources", "expectations"):
        ignored = shutil.ignore_patterns("target", "logs")
        shutil.copytree(PROJECT / name, folder / name, ignore=ignored)
    (folder / "sources" / "kiosk").mkdir()
    (folder / "sources" / "kiosk" / "source.yml").write_text(SOURCE)
    staging = folder / "dbt" / "models" / "staging" / "kiosk"
    staging.mkdir()
    for name, text in STAGING.items():
        (staging / f"{name}.sql").write_text(text)
    (staging / "sources.yml").write_text(SOURCES_YML)
    (folder / "expectations" / "landing" / "kiosk").mkdir()
    (folder / "expectations" / "landing" / "kiosk" / "slips.json").write_text(json.dumps(SUITE))
    (folder / "kiosk").mkdir()
    (folder / "kiosk" / "slips.csv").write_text(SLIPS)

    shop = SmallShop(folder / "shop")
    shop.set("products", (10, 1, "FOOD", "B", "C", "T", "1"))
    shop.line(100, 1, 10, "2017-03-01 15:00:00", 2.00)
    shop.write()
    place = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
    installation = Installation(folder / "home", shop.folder, place | {"KIOSK_DIR": str(folder / "kiosk")})
    reports = [installation.load("2017-03-01")]
    installation.env["CLIENTELE_SOURCES"] = "complete_journey, kiosk"
    reports.append(installation.load("2017-03-01"))
    reports.append(installation.load("2017-03-02"))
    return installation, reports


def test_each_row_of_the_feed_is_in_one_fact(nights: tuple[Installation, list[dict[str, Any]]]) -> None:
    installation, _ = nights
    assert installation.sql(
        "select order_id, order_date, product_key > 0, cast(net_amount as varchar) from star.fct_sales_line"
        " order by cast(order_id as integer)"
    )[:3] == [("1", _day(1), True, "3.5000"), ("3", _day(2), True, "1.7500"), ("4", _day(2), True, "2.2000")]
    assert installation.sql("select redeemed_date from star.fct_coupon_redemption") == [(_day(1),)]


def test_the_feed_is_reconciled_with_its_facts_together_and_each_feed_with_its_own_rows(
    nights: tuple[Installation, list[dict[str, Any]]],
) -> None:
    installation, _ = nights
    last = "load_id = (select max(load_id) from ops.reconciliation)"
    found = installation.sql(
        "select to_table, measure, cast(expected as varchar), difference from ops.reconciliation"
        f" where {last} and from_table = 'feed kiosk.slips' order by measure"
    )
    assert found == [
        ("star.fct_sales_line", "net_amount", "7.4500", 0),
        ("star.fct_sales_line", "quantity", "4.0000", 0),
        ("star.fct_sales_line + star.fct_coupon_redemption", "rows", "4.0000", 0),
    ]
    assert installation.sql(
        "select actual from ops.reconciliation"
        f" where {last} and from_table = 'feed complete_journey.transactions' and measure = 'net_amount'"
    ) == [(2,)]


def test_a_list_derived_from_events_knows_what_earlier_nights_brought(
    nights: tuple[Installation, list[dict[str, Any]]],
) -> None:
    installation, _ = nights
    assert installation.sql(
        "select product_id, department, is_inferred from star.dim_product where source_system = 'kiosk_till' order by 1"
    ) == [("cake", "kiosk", False), ("tea", "kiosk", False)]


def test_enabling_a_source_rebuilds_what_it_fills_and_says_so(
    nights: tuple[Installation, list[dict[str, Any]]],
) -> None:
    installation, reports = nights
    rebuilt = [row[0] for row in installation.sql("select rebuilt_tables from ops.release order by load_id")]
    assert rebuilt[0] == "all"
    assert "fct_sales_line" in rebuilt[1]
    assert "dim_audit" not in rebuilt[1].split(", "), "it holds what no source fills by itself"
    assert rebuilt[2] == ""
    assert all(report["status"] == "published" for report in reports)


def test_the_catalogue_says_who_fills_what_and_why_the_rest_is_empty(
    nights: tuple[Installation, list[dict[str, Any]]],
) -> None:
    installation, _ = nights
    found = installation.run("catalog", "--json", check=0).json
    feeds = {record["feed"]: record for record in found["canonical"]}
    assert feeds["order_lines"]["filled_by"] == ["complete_journey.transactions", "kiosk.slips"]
    assert feeds["order_lines"]["measured"]
    assert feeds["order_lines"]["columns_not_measured"] == ["cost_amount"]
    assert feeds["cases"]["why_not"] == "no enabled source fills it"
    landed = {record["feed"]: record for record in found["landed"]}
    assert landed["kiosk.slips"]["reconciled_with"] == ["star.fct_sales_line", "star.fct_coupon_redemption"]
    told = installation.run("catalog", check=0).out
    assert "cost_amount" in told


def test_a_column_that_the_contract_does_not_know_is_an_error_that_names_it(
    nights: tuple[Installation, list[dict[str, Any]]], tmp_path: Path
) -> None:
    installation, _ = nights
    dbt = tmp_path / "dbt"
    shutil.copytree(installation.env["CLIENTELE_DBT_DIR"], dbt, ignore=shutil.ignore_patterns("target", "logs"))
    model = dbt / "models" / "staging" / "kiosk" / "stg_kiosk__coupon_redemptions.sql"
    model.write_text(STAGING["stg_kiosk__coupon_redemptions"].replace("what as coupon_id", "what as voucher"))
    other = installation.copy(tmp_path / "home")
    other.env["CLIENTELE_DBT_DIR"] = str(dbt)
    told = other.run("load", "--date", "2017-03-02", check=1).text
    assert "stg_kiosk__coupon_redemptions gives the column voucher" in " ".join(told.split())


def _day(number: int) -> date:
    return date(2017, 3, number)
