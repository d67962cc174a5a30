"""Customers with churn brought in as a source: the published rates of IBM's Telco Customer Churn set come out."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.support.brought_in import brought_in
from tests.support.installation import Installation, assert_same_tables
from tests.support.real_data import published_data

pytestmark = pytest.mark.long

FILE = "telco/WA_Fn-UseC_-Telco-Customer-Churn.csv"
# The columns are those of the file, by its first line.
SOURCE = """
name: telco
kind: files
root: ${TELCO_DIR}
timezone: UTC
feeds:
  subscribers:
    path: subscribers.csv
    class: descriptive
    canonical: [customers, churn_events]
    extract: snapshot
    key: [customerID]
    columns: {COLUMNS}
"""
OF_ROW = "_system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op"
# The file has no day of leaving, and says of what customers are told apart by (the contract) in no column of ours.
STAGING = {
    "customers": f"""
select {OF_ROW}, _effective_from as effective_from, customerID as customer_id, gender, Contract as status,
    cast(date '2019-12-31' - tenure * interval 1 month as date) as first_seen_date
from {{{{ landed('telco', 'subscribers') }}}} as landed
""",
    "churn_events": f"""
select {OF_ROW}, customerID as customer_id, date '2019-12-31' as churned_date
from (
    select *, row_number() over (partition by customerID order by _load_id nulls last, _row nulls last) as telling
    from {{{{ landed('telco', 'subscribers') }}}} as landed
    where Churn = 'Yes' and _op <> 'delete'
) as told
where telling = 1
""",
}


def _published() -> Path:
    return published_data("PUBLISHED_DATA_DIR", FILE) / FILE


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The file as it is published: a row a customer, with whether he left in the last month."""
    file = _published()
    names = file.read_text(encoding="utf-8").partition("\n")[0].strip().split(",")
    columns = ", ".join(f"{name}: {'INTEGER' if name == 'tenure' else 'VARCHAR'}" for name in names)
    source = SOURCE.replace("COLUMNS", columns)
    installation = brought_in(tmp_path_factory.mktemp("telco"), source, STAGING, "2020-01-01")
    shutil.copy(file, installation.data / "subscribers.csv")
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


def test_who_leaves_later_is_counted_once_however_the_row_changes(home: Installation, tmp_path: Path) -> None:
    """In a list the leaving is an update of the customer's row, and further updates repeat it."""
    later = home.copy(tmp_path / "later")
    later.env["TELCO_DIR"] = str(later.data)
    file = later.data / "subscribers.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    stays = next(nth for nth, line in enumerate(lines) if "Two year" in line and line.endswith(",No"))
    left = next(nth for nth, line in enumerate(lines) if "Two year" in line and line.endswith(",Yes"))
    lines[stays] = lines[stays].removesuffix("No") + "Yes"
    lines[left] = lines[left].replace("Mailed check", "Electronic check").replace("Yes", "No", 1)
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    later.load("2020-01-02")
    counted = "select churned_customers from mart.mart_churn where segment = 'Two year' and churn_type = '(all)'"
    assert later.sql(counted) == [(49,)]
    rebuilt = later.copy(tmp_path / "rebuilt")
    rebuilt.load("2020-01-02", "--rebuild")
    assert_same_tables(later, rebuilt)
