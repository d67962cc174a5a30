"""One customer over two systems: five nights of links that come, turn out doubtful and go, worked out by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.installation import PROJECT, Installation, assert_same_tables

pytestmark = pytest.mark.long

SOURCE = """
name: company
kind: files
root: ${COMPANY_DIR}
timezone: Europe/Berlin
feeds:
  shop_customers:
    path: shop_customers.csv
    class: descriptive
    system: shop
    canonical: customers
    extract: snapshot
    key: [id]
    trust: 20
    max_deleted: 1
    pii: {mail: email}
    columns: {id: VARCHAR, account: VARCHAR, mail: VARCHAR, city: VARCHAR, consent: VARCHAR, gender: VARCHAR}
  crm_customers:
    path: crm_customers.csv
    class: descriptive
    system: crm
    canonical: customers
    extract: snapshot
    key: [id]
    trust: 80
    max_deleted: 1
    pii: {mail: email}
    columns: {id: VARCHAR, account: VARCHAR, mail: VARCHAR, city: VARCHAR, consent: VARCHAR, gender: VARCHAR}
  links:
    path: links.csv
    class: descriptive
    system: crm
    canonical: identities
    extract: snapshot
    key: [id, shop_id]
    max_deleted: 1
    columns: {id: VARCHAR, shop_id: VARCHAR, since: DATE}
  lines:
    path: lines.csv
    class: transactional
    system: shop
    canonical: order_lines
    extract: append
    key: [order_id]
    cursor: day
    control_totals: {net_amount: paid, quantity: pieces}
    columns: {order_id: VARCHAR, day: DATE, customer: VARCHAR, pieces: BIGINT, paid: "DECIMAL(9, 2)"}
"""
ORIGIN = "_system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row"
CHANGE = f"{ORIGIN}, _op as op, _effective_from as effective_from"
CUSTOMERS = f"""
select {CHANGE}, id as customer_id, account as account_number, _email_key as email_key, city, consent, gender
from {{{{ landed('company', '%s') }}}} as landed
"""
STAGING = {
    "stg_company__customers__shop": CUSTOMERS % "shop_customers",
    "stg_company__customers__crm": CUSTOMERS % "crm_customers",
    "stg_company__identities": f"""
select {CHANGE}, id as customer_id, 'shop' as other_system, shop_id as other_customer_id,
    since as valid_from
from {{{{ landed('company', 'links') }}}} as landed
""",
    "stg_company__order_lines": f"""
select
    {ORIGIN}, order_id, 1 as line_no, day as order_date, customer as customer_id, pieces as quantity, paid as gross,
    0 as discount_retail, 0 as discount_coupon, 0 as discount_match, paid as net
from {{{{ landed('company', 'lines') }}}} as landed
""",
}
NIGHTS = {
    # c9 writes s2's e-mail in capitals; c@x belongs to two people in the CRM, so it says nothing about s3
    "2017-03-01": {
        "shop_customers": [
            "s1,A1,a@x,Bonn,,f",
            "s2,,b@x,Köln,no,",
            "s3,,c@x,Mainz,yes,m",
        ],
        "crm_customers": [
            "c1,A1,other@x,Berlin,yes,",
            "c9,, B@X ,,yes,m",
            "c4,,c@x,Trier,no,",
            "c5,,c@x,Jena,yes,",
        ],
        "links": [],
    },
    # c5 has another address: c@x is only c4's and s3's from now on
    "2017-03-02": {
        "crm_customers": ["c1,A1,other@x,Berlin,yes,", "c9,, B@X ,,yes,m", "c4,,c@x,Trier,no,", "c5,,d@x,Jena,yes,"],
    },
    # c9 changes its address, so nothing links it to s2 any more; the CRM declares c5 to be s1
    "2017-03-03": {
        "crm_customers": ["c1,A1,other@x,Berlin,yes,", "c9,,z@x,,yes,m", "c4,,c@x,Trier,no,", "c5,,d@x,Jena,yes,"],
        "links": ["c5,s1,2017-03-03"],
    },
    # the declaration was wrong; c1 is deleted
    "2017-03-04": {
        "crm_customers": ["c9,,z@x,,yes,m", "c4,,c@x,Trier,no,", "c5,,d@x,Jena,yes,"],
        "links": [],
    },
}  # fmt: skip
# o4 lies in a month no later load brings lines of: only the link of 03-02 makes its buyer another person
LINES = ["o1,2017-03-01,s1,1,1.00", "o2,2017-03-01,s2,1,2.00", "o3,2017-03-02,c9,1,3.00", "o4,2017-02-14,s3,1,4.00"]
TOGETHER = """
    select list(c.source_system || ' ' || c.customer_id order by c.customer_id)
    from star.bridge_identity b
    join (select distinct customer_durable_key, source_system, customer_id from star.dim_customer) c
        using (customer_durable_key)
    where date '{day}' >= b.valid_from and date '{day}' < b.valid_to and b.customer_durable_key > 0
    group by b.mastered_customer_key having count(*) > 1 order by 1
"""


def written(folder: Path, files: dict[str, list[str]]) -> None:
    customers = "id,account,mail,city,consent,gender"
    headers = {
        "shop_customers": customers, "crm_customers": customers, "links": "id,shop_id,since",
        "lines": "order_id,day,customer,pieces,paid",
    }  # fmt: skip
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text("\n".join([headers[name], *rows]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The home after all nights."""
    folder = tmp_path_factory.mktemp("identities")
    for name in ("dbt", "expectations"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs"))
    for path in (folder / "sources" / "company", folder / "dbt" / "models" / "staging" / "company", folder / "data"):
        path.mkdir(parents=True)
    (folder / "sources" / "company" / "source.yml").write_text(SOURCE)
    for name, text in STAGING.items():
        (folder / "dbt" / "models" / "staging" / "company" / f"{name}.sql").write_text(text)
    tables = [{"name": name} for name in ("shop_customers", "crm_customers", "links", "lines")]
    (folder / "dbt" / "models" / "staging" / "company" / "sources.yml").write_text(
        json.dumps({"sources": [{"name": "company", "schema": "landing", "tables": tables}]})
    )
    place = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
    env = place | {"COMPANY_DIR": str(folder / "data"), "CLIENTELE_SOURCES": "company"}
    installation = Installation(folder / "home", folder / "data", env)
    written(folder / "data", {"lines": LINES})
    for day, files in NIGHTS.items():
        written(folder / "data", files)
        installation.load(day)
    return installation


@pytest.mark.parametrize(
    ("day", "together"),
    [
        ("2017-03-01", [["crm c1", "shop s1"], ["crm c9", "shop s2"]]),
        ("2017-03-02", [["crm c1", "shop s1"], ["crm c4", "shop s3"], ["crm c9", "shop s2"]]),
        ("2017-03-03", [["crm c1", "crm c5", "shop s1"], ["crm c4", "shop s3"]]),
        ("2017-03-04", [["crm c4", "shop s3"]]),
    ],
)
def test_records_are_one_customer_as_long_as_something_links_them(
    home: Installation, day: str, together: list[list[str]]
) -> None:
    assert [row for (row,) in home.sql(TOGETHER.format(day=day))] == together


def test_each_link_says_how_it_was_found_how_sure_it_is_and_since_when(home: Installation) -> None:
    spans = """
        select c.customer_id, b.method, b.confidence::double, b.valid_from::varchar, b.valid_to::varchar, b.is_current
        from star.bridge_identity b
        join (select distinct customer_durable_key, customer_id from star.dim_customer) c using (customer_durable_key)
        where c.customer_id in ('s1', 's2', 's3', 'c5') order by 1, b.valid_from
    """
    assert home.sql(spans) == [
        ("c5", "own record", 1.0, "1900-01-01", "2017-03-03", False),
        ("c5", "declared", 1.0, "2017-03-03", "2017-03-04", False),
        ("c5", "own record", 1.0, "2017-03-04", "9999-12-31", True),
        ("s1", "account number", 1.0, "1900-01-01", "2017-03-04", False),
        ("s1", "own record", 1.0, "2017-03-04", "9999-12-31", True),
        ("s2", "e-mail", 0.95, "1900-01-01", "2017-03-03", False),
        ("s2", "own record", 1.0, "2017-03-03", "9999-12-31", True),
        ("s3", "own record", 1.0, "1900-01-01", "2017-03-02", False),
        ("s3", "e-mail", 0.95, "2017-03-02", "9999-12-31", True),
    ]


def test_an_attribute_is_taken_from_the_record_its_rule_prefers(home: Installation) -> None:
    # s3 and c4: consent is the CRM's word (trust 80); the CRM's file was learnt first, both cities in the same load,
    # so trust decides; only the shop tells the gender
    survivors = """
        select attribute_name, attribute_value, survivorship_rule, source_system from star.mastered_customer_source s
        where mastered_customer_key = (
            select mastered_customer_key
            from star.bridge_identity b join star.dim_customer c using (customer_durable_key)
            where c.customer_id = 's3' and b.is_current and c.is_current
        ) order by 1
    """
    assert home.sql(survivors) == [
        ("city", "Trier", "recent", "crm"),
        ("consent", "no", "trusted", "crm"),
        ("gender", "m", "complete", "shop"),
    ]


def test_facts_keep_the_customer_of_their_source_and_nobody_is_counted_twice(home: Installation) -> None:
    assert home.sql("""
        select c.source_system, c.customer_id, f.net_amount::varchar
        from star.fct_sales_line f join star.dim_customer c using (customer_key) order by f.order_id
    """) == [("shop", "s1", "1.0000"), ("shop", "s2", "2.0000"), ("shop", "c9", "3.0000"), ("shop", "s3", "4.0000")]
    records, people = home.sql("""
        select count(*), count(distinct b.mastered_customer_key)
        from star.dim_customer c join star.bridge_identity b using (customer_durable_key)
        where c.is_current and b.is_current and not c.is_deleted and c.customer_durable_key > 0
    """)[0]
    # s1 s2 s3, c4 c5 c9, and the shop's line of an unknown c9; s3 and c4 are one
    assert (records, people) == (7, 6)
    assert home.sql("select count(*) from star.dim_mastered_customer where mastered_customer_key > 0") == [(6,)]


def test_customer_show_tells_which_records_make_a_customer_and_why(home: Installation) -> None:
    shown = home.run("customer", "show", "shop:s3", "--json", check=0).json

    assert [(r["source_system"], r["customer_id"], r["method"]) for r in shown["records"]] == [
        ("crm", "c4", "e-mail"), ("shop", "s3", "e-mail")
    ]  # fmt: skip
    assert {a["attribute"]: a["source_system"] for a in shown["attributes"]} == {
        "city": "crm", "consent": "crm", "gender": "shop"
    }  # fmt: skip
    by_number = home.run("customer", "show", str(shown["mastered_customer_key"]), "--json", check=0).json
    assert by_number == shown
    text = home.run("customer", "show", "crm:c4", check=0).text
    assert "e-mail" in text
    assert "c@x" not in text
    past = home.run("customer", "show", "shop:s2", check=0).text
    assert "until 2017-03-03" in past


def test_customer_show_says_when_there_is_no_such_customer(home: Installation) -> None:
    done = home.run("customer", "show", "shop:nobody", check=1)
    assert "no customer nobody in system shop" in done.err
    done = home.run("customer", "show", "nobody", check=1)
    assert "SYSTEM:ID" in done.err


def test_a_rebuild_finds_the_same_customers(home: Installation, tmp_path: Path) -> None:
    rebuilt = home.copy(tmp_path / "rebuilt")
    rebuilt.load("2017-03-04", "--rebuild")
    assert_same_tables(home, rebuilt)
