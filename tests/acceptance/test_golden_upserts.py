"""Four nights of a depot whose orders, products and customers are corrected later, worked out by hand.

In them: an order that moves to another day and customer, a version that comes after a newer one, a correction of a
correction, a line deleted and returning, a customer known after the order, and product changes learnt late, which take
effect between and before the versions known so far.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.installation import PROJECT, Installation, assert_same_tables

pytestmark = pytest.mark.long

SOURCE = """
name: depot
kind: files
root: ${DEPOT_DIR}
timezone: Europe/London
feeds:
  lines:
    path: lines.csv
    class: transactional
    canonical: order_lines
    extract: upsert
    key: [order_no, line]
    cursor: ordered_at
    updated_at: changed_at
    deleted_when: gone
    control_totals: {net_amount: net, quantity: quantity}
    columns: {order_no: VARCHAR, line: BIGINT, ordered_at: TIMESTAMP, customer: VARCHAR, sku: VARCHAR, quantity: BIGINT,
              net: "DECIMAL(9, 2)", cost: "DECIMAL(9, 2)", gone: BOOLEAN, changed_at: TIMESTAMP}
  products:
    path: products.csv
    class: descriptive
    canonical: products
    extract: upsert
    key: [sku]
    updated_at: changed_at
    effective: valid_from
    columns: {sku: VARCHAR, department: VARCHAR, cost: "DECIMAL(9, 2)", valid_from: DATE, changed_at: TIMESTAMP}
  customers:
    path: customers.csv
    class: descriptive
    canonical: customers
    extract: upsert
    key: [id]
    updated_at: changed_at
    deleted_when: age is null
    columns: {id: VARCHAR, age: VARCHAR, changed_at: TIMESTAMP}
"""
OF_ROW = "_system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op"
STAGING = {
    "order_lines": f"""
select
    {OF_ROW}, _updated_at as updated_at, _superseded as is_superseded, order_no as order_id, line as line_no,
    ordered_at, ordered_at as ordered_at_local, _business_date as order_date, customer as customer_id,
    'store' as channel, sku as product_id, quantity, net as unit_price, net as gross, 0 as discount_retail,
    0 as discount_coupon, 0 as discount_match, net, cost
from {{{{ landed('depot', 'lines') }}}} as landed
""",
    "products": f"""
select
    {OF_ROW}, _effective_from as effective_from, _updated_at as updated_at, sku as product_id, department,
    cost as standard_cost
from {{{{ landed('depot', 'products') }}}} as landed
""",
    "customers": f"""
select
    {OF_ROW}, _effective_from as effective_from, _updated_at as updated_at, id as customer_id, age as age_band
from {{{{ landed('depot', 'customers') }}}} as landed
""",
}
SOURCES_YML = (
    "sources: [{name: depot, schema: landing, tables: [{name: lines}, {name: products}, {name: customers}]}]\n"
)
HEADERS = {
    "lines": "order_no,line,ordered_at,customer,sku,quantity,net,cost,gone,changed_at",
    "products": "sku,department,cost,valid_from,changed_at",
    "customers": "id,age,changed_at",
}
# What each night's files hold: only what changed, as an export of changes does.
NIGHTS = {
    "2017-03-01": {
        "lines": [
            "A,1,2017-03-01,ann,tea,2,5.00,,false,2017-03-01 09:00",
            "B,1,2017-03-01,bob,cake,1,4.00,0.50,false,2017-03-01 09:00",
            "C,1,2017-03-01,ann,cake,1,3.00,,false,2017-03-01 09:00",
            "E,1,2016-12-31,bob,cake,1,2.00,,false,2017-03-01 09:00",
        ],
        "products": [
            "tea,HOT,1.00,2017-01-01,2017-03-01 08:00",
            "cake,BAKERY,2.00,2017-01-01,2017-03-01 08:00",
        ],
        "customers": ["ann,25-34,2017-03-01 08:00", "bob,45-54,2017-03-01 08:00"],
    },
    "2017-03-02": {
        "lines": [
            "B,1,2017-02-27,ann,cake,1,4.50,0.50,false,2017-03-02 09:00",  # another day, customer and amount
            "C,1,,,,,,,true,2017-03-02 09:00",
            "D,1,2017-03-02,cyd,tea,3,7.00,,false,2017-03-02 09:00",  # cyd is not known yet
        ],
        "products": [],
        # of two versions of one day the newer one, not the last in the file
        "customers": ["bob,55-64,2017-03-02 09:00", "bob,65+,2017-03-02 08:00"],
    },
    "2017-03-03": {
        "lines": [
            "A,1,2017-03-01,ann,tea,9,99.00,,false,2017-03-01 08:30",  # older than the one that landed
            "D,1,2017-03-02,cyd,tea,3,9.00,,false,2017-03-03 10:00",  # the correction of the next line
            "D,1,2017-03-02,cyd,tea,3,8.00,,false,2017-03-03 09:00",
            "C,1,2017-03-01,ann,cake,1,3.10,,false,2017-03-02 08:00",  # older than its deletion
        ],
        "products": ["tea,COLD,1.50,2017-03-02,2017-03-03 09:00"],  # holds since yesterday
        "customers": ["cyd,19-24,2017-03-03 09:00", "bob,,2017-03-03 09:00"],
    },
    "2017-03-04": {
        "lines": ["C,1,2017-03-01,ann,cake,1,3.30,,false,2017-03-04 09:00"],  # it returns
        "products": [
            "tea,WARM,1.20,2017-02-15,2017-03-04 09:00",  # between two versions
            "cake,BREAD,1.80,2016-06-01,2017-03-04 09:00",  # before all
        ],
        "customers": [],
    },
    "2017-04-02": {"lines": ["F,1,2017-04-02,ann,tea,1,6.00,,false,2017-04-02 09:00"], "products": [], "customers": []},
    # the newest order is taken back: March, which was over, is open again
    "2017-04-03": {"lines": ["F,1,,,,,,,true,2017-04-03 09:00"], "products": [], "customers": []},
}
LINES = """
    select f.order_id, f.order_date::varchar, c.customer_id, c.age_band, p.department, f.net_amount::float,
        f.cost_amount::float
    from star.fct_sales_line f join star.dim_customer c using (customer_key) join star.dim_product p using (product_key)
    order by f.order_id
"""
PRODUCTS = """
    select product_id, department, valid_from::varchar, valid_to::varchar, is_current
    from star.dim_product where product_durable_key > 0 order by product_id, valid_from
"""
MONTHS = "select period, lines, net_sales::float from cube.sales_by_month order by period"
DEPARTMENTS = "select department, net_sales::float from cube.sales_by_department order by department"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installation]:
    """The home after each night."""
    folder = tmp_path_factory.mktemp("upserts")
    for name in ("dbt", "sources", "expectations"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs"))
    (folder / "sources" / "depot").mkdir()
    (folder / "sources" / "depot" / "source.yml").write_text(SOURCE)
    staging = folder / "dbt" / "models" / "staging" / "depot"
    staging.mkdir()
    (staging / "sources.yml").write_text(SOURCES_YML)
    for feed, text in STAGING.items():
        (staging / f"stg_depot__{feed}.sql").write_text(text)
    data = folder / "data"
    data.mkdir()
    place = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
    home = Installation(folder / "home", data, place | {"CLIENTELE_SOURCES": "depot", "DEPOT_DIR": str(data)})
    after: dict[str, Installation] = {}
    for day, files in NIGHTS.items():
        for feed, rows in files.items():
            (data / f"{feed}.csv").write_text("\n".join([HEADERS[feed], *rows, ""]))
        home.load(day)
        after[day] = home.copy(folder / day)
    return after


def test_lines_point_to_what_was_known_the_first_night(nights: dict[str, Installation]) -> None:
    assert nights["2017-03-01"].sql(LINES) == [
        ("A", "2017-03-01", "ann", "25-34", "HOT", 5.0, 2.0),
        ("B", "2017-03-01", "bob", "45-54", "BAKERY", 4.0, 0.5),
        ("C", "2017-03-01", "ann", "25-34", "BAKERY", 3.0, 2.0),
        ("E", "2016-12-31", "bob", "45-54", "BAKERY", 2.0, 2.0),
    ]


def test_of_two_changes_of_a_day_the_newer_one_holds(nights: dict[str, Installation]) -> None:
    told = "select age_band, is_deleted from star.dim_customer where customer_id = 'bob' order by valid_from"
    assert nights["2017-03-04"].sql(told) == [("45-54", False), ("55-64", False), (None, True)]


def test_a_moved_order_counts_once_and_a_deleted_line_not_at_all(nights: dict[str, Installation]) -> None:
    second = nights["2017-03-02"]
    assert second.sql(LINES) == [
        ("A", "2017-03-01", "ann", "25-34", "HOT", 5.0, 2.0),
        ("B", "2017-02-27", "ann", "25-34", "BAKERY", 4.5, 0.5),
        ("D", "2017-03-02", "cyd", None, "HOT", 7.0, 3.0),
        ("E", "2016-12-31", "bob", "45-54", "BAKERY", 2.0, 2.0),
    ]
    assert second.sql(MONTHS) == [("2016-12", 1, 2.0), ("2017-02", 1, 4.5), ("2017-03", 2, 12.0)]


def test_the_month_that_gained_a_moved_order_is_recorded_as_restated(nights: dict[str, Installation]) -> None:
    told = nights["2017-03-02"].sql("select month::varchar, measure, change::float from ops.restatement order by all")
    assert told == [("2017-02-01", "net_amount", 4.5), ("2017-02-01", "quantity", 1.0), ("2017-02-01", "rows", 1.0)]


def test_the_newest_version_counts_in_whatever_order_they_come(nights: dict[str, Installation]) -> None:
    third = nights["2017-03-03"]
    assert third.sql(LINES) == [
        ("A", "2017-03-01", "ann", "25-34", "HOT", 5.0, 2.0),
        ("B", "2017-02-27", "ann", "25-34", "BAKERY", 4.5, 0.5),
        # cyd is known by now, and tea has been COLD since the day of the order, which costs more
        ("D", "2017-03-02", "cyd", "19-24", "COLD", 9.0, 4.5),
        ("E", "2016-12-31", "bob", "45-54", "BAKERY", 2.0, 2.0),
    ]
    assert third.sql(MONTHS) == [("2016-12", 1, 2.0), ("2017-02", 1, 4.5), ("2017-03", 2, 14.0)]
    assert third.sql(DEPARTMENTS) == [("BAKERY", 6.5), ("COLD", 9.0), ("HOT", 5.0)]


def test_late_changes_cut_the_spans_anew_and_the_cost_follows(nights: dict[str, Installation]) -> None:
    fourth = nights["2017-03-04"]
    assert fourth.sql(PRODUCTS) == [
        ("cake", "BREAD", "1900-01-01", "2017-01-01", False),
        ("cake", "BAKERY", "2017-01-01", "9999-12-31", True),
        ("tea", "HOT", "1900-01-01", "2017-02-15", False),
        ("tea", "WARM", "2017-02-15", "2017-03-02", False),
        ("tea", "COLD", "2017-03-02", "9999-12-31", True),
    ]
    assert fourth.sql(LINES) == [
        ("A", "2017-03-01", "ann", "25-34", "WARM", 5.0, pytest.approx(2.4)),
        ("B", "2017-02-27", "ann", "25-34", "BAKERY", 4.5, 0.5),
        ("C", "2017-03-01", "ann", "25-34", "BAKERY", pytest.approx(3.3), 2.0),
        ("D", "2017-03-02", "cyd", "19-24", "COLD", 9.0, 4.5),
        ("E", "2016-12-31", "bob", "45-54", "BREAD", 2.0, pytest.approx(1.8)),
    ]
    assert fourth.sql(DEPARTMENTS) == [
        ("BAKERY", pytest.approx(7.8)), ("BREAD", 2.0), ("COLD", 9.0), ("WARM", 5.0)
    ]  # fmt: skip


def test_what_landed_is_what_the_facts_hold_each_night(nights: dict[str, Installation]) -> None:
    compared = nights["2017-03-04"].sql(
        "select from_table, measure, expected::float, actual::float from ops.reconciliation"
        " where from_table like 'feed %' and load_id = (select max(load_id) from ops.reconciliation) order by all"
    )
    assert compared == [
        ("feed depot.customers", "current keys", 2.0, 2.0),
        ("feed depot.lines", "net_amount", pytest.approx(23.8), pytest.approx(23.8)),
        ("feed depot.lines", "quantity", 8.0, 8.0),
        ("feed depot.lines", "rows", 5.0, 5.0),
        ("feed depot.products", "current keys", 2.0, 2.0),
    ]


def test_a_rebuild_equals_the_nights(nights: dict[str, Installation], tmp_path: Path) -> None:
    rebuilt = nights["2017-04-03"].copy(tmp_path / "rebuilt")
    rebuilt.load("2017-04-03", "--rebuild")
    assert_same_tables(nights["2017-04-03"], rebuilt)


def test_customers_are_measured_on_the_newest_day_there_is_an_order_of(nights: dict[str, Installation]) -> None:
    newest = "select as_of_date::varchar, is_open from mart.customer_months order by 1 desc limit 2"
    assert nights["2017-04-02"].sql(newest) == [("2017-04-02", True), ("2017-03-31", False)]
    assert nights["2017-04-03"].sql(newest) == [("2017-03-02", True), ("2017-02-28", False)]
    recency = "select recency_days from mart.fct_customer_month where month_start_date = '2017-03-01' order by 1"
    # ann's last order is of the first, cyd's of the second of March, bob's of 31 December
    assert nights["2017-04-02"].sql(recency) == [(29,), (30,), (90,)]
    assert nights["2017-04-03"].sql(recency) == [(0,), (1,), (61,)]
