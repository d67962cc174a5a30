"""Customers with churn brought in as a source: the published rates of IBM's Telco Customer Churn set come out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.support.installation import PROJECT, Installation

pytestmark = pytest.mark.long

FILE = "WA_Fn-UseC_-Telco-Customer-Churn.csv"
SOURCE = """
name: telco
kind: files
root: ${TELCO_DIR}
timezone: UTC
feeds:
  subscribers:
    path: subscribers.parquet
    class: descriptive
    canonical: customers
    extract: snapshot
    key: [customer]
    columns: {customer: VARCHAR, gender: VARCHAR, contract: VARCHAR, since: DATE}
  leavers:
    path: leavers.parquet
    class: service
    canonical: churn_events
    extract: append
    key: [customer]
    cursor: left_on
    columns: {customer: VARCHAR, left_on: DATE}
"""
OF_ROW = "_system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op"
STAGING = {
    "customers": f"""
select {OF_ROW}, _effective_from as effective_from, customer as customer_id, gender, contract as status,
    since as first_seen_date
from {{{{ landed('telco', 'subscribers') }}}} as landed
""",
    "churn_events": f"""
select {OF_ROW}, customer as customer_id, left_on as churned_date
from {{{{ landed('telco', 'leavers') }}}} as landed
""",
}
TABLES = "sources: [{name: telco, schema: landing, tables: [{name: subscribers}, {name: leavers}]}]\n"


def _published() -> Path:
    folder = Path(os.environ.get("PUBLISHED_DATA_DIR", PROJECT.parent / "shared" / "data"))
    file = folder / "telco" / FILE
    if not file.exists():
        pytest.skip(f"{file} is absent: IBM's Telco Customer Churn; PUBLISHED_DATA_DIR says where")
    return file


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The set as two exports of one day: who is there, and who left in the last month. It has no other dates."""
    file = _published()
    folder = tmp_path_factory.mktemp("telco")
    for name in ("dbt", "sources", "expectations"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs"))
    data = folder / "data"
    data.mkdir()
    with duckdb.connect() as con:
        con.execute(f"create table t as from read_csv('{file}', header = true)")
        con.execute(f"""
            copy (
                select customerID as customer, gender, Contract as contract,
                    cast(date '2019-12-31' - tenure * interval 1 month as date) as since from t
            ) to '{data / "subscribers.parquet"}'
        """)
        con.execute(f"""
            copy (select customerID as customer, date '2019-12-31' as left_on from t where Churn)
            to '{data / "leavers.parquet"}'
        """)
    (folder / "sources" / "telco").mkdir()
    (folder / "sources" / "telco" / "source.yml").write_text(SOURCE)
    staging = folder / "dbt" / "models" / "staging" / "telco"
    staging.mkdir()
    (staging / "sources.yml").write_text(TABLES)
    for feed, text in STAGING.items():
        (staging / f"stg_telco__{feed}.sql").write_text(text)
    place = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
    installation = Installation(folder / "home", data, place | {"CLIENTELE_SOURCES": "telco", "TELCO_DIR": str(data)})
    installation.load("2020-01-01")
    return installation


def test_the_published_rates_come_out(home: Installation) -> None:
    """26.54 % of 7,043 left; by contract 42.71, 11.27 and 2.83 %; of women 26.92 %, of men 26.16 %.

    Source: IBM, Telco Customer Churn (sample of Cognos Analytics), as reported by its many published analyses.
    """
    told = home.sql("""
        select segment_kind, segment, customers, churned_customers, round(100 * churn_rate, 2)
        from mart.mart_churn where churn_type = '(all)' and segment_kind in ('(all)', 'status', 'gender') order by all
    """)
    assert told == [
        ("(all)", "(all)", 7043, 1869, 26.54),
        ("gender", "Female", 3488, 939, 26.92),
        ("gender", "Male", 3555, 930, 26.16),
        ("status", "Month-to-month", 3875, 1655, 42.71),
        ("status", "One year", 1473, 166, 11.27),
        ("status", "Two year", 1695, 48, 2.83),
    ]


def test_who_is_new_leaves_most(home: Installation) -> None:
    """By full years of tenure, against a count of the file itself."""
    by_file = duckdb.sql(f"""
        select cast(tenure // 12 as varchar), count(*), count(*) filter (where Churn)
        from read_csv('{_published()}', header = true) group by 1 order by 1
    """).fetchall()
    told = home.sql("""
        select segment, customers, churned_customers from mart.mart_churn
        where segment_kind = 'tenure_years' and churn_type = '(all)' order by 1
    """)
    rates = [churned / customers for _, customers, churned in told]
    assert rates == sorted(rates, reverse=True)
    assert told == by_file


def test_who_left_is_former_without_ever_an_order(home: Installation) -> None:
    assert home.sql("select customer_kind, count(*) from mart.mart_customer_360 group by 1 order by 1") == [
        ("former", 1869),
        ("potential", 7043 - 1869),
    ]
    assert home.sql("select count(*) from mart.mart_customer_warning") == [(0,)]
