"""What is drafted from a profile: what a feed fills, how it is read, what its staging model and suite say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dagster_project.contract.contract import read_contract
from dagster_project.errors import ConfigurationError
from dagster_project.landing.source import read_source
from dagster_project.profiling.suites import margin
from dagster_project.profiling.text import column, scalar
from dagster_project.profiling.write import Draft, Project, write_draft
from dagster_project.quality.suite import load_suite

LINES = """order_no,line,sold_at,cust_id,sku,qty,price
1,1,2024-03-01 09:12:00,C1,P1,2,4.50
1,2,2024-03-01 09:12:00,C1,P2,1,9
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "sources", tmp_path / "expectations", tmp_path / "dbt")


def draft(project: Project, files: dict[str, str], **options: object) -> Draft:
    folder = project.sources.parent / "delivered"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return write_draft("shop", folder, project, read_contract(), **options)  # type: ignore[arg-type]


def staged(project: Project, canonical: str) -> str:
    path = project.dbt / "models" / "staging" / "shop" / f"stg_shop__{canonical}.sql"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "header", "row", "canonical"),
    [
        ("orders.csv", "order_no,line,sold_at,cust_id,sku,qty,price", "1,1,2024-03-01,C1,P1,2,4.50", "order_lines"),
        ("orders.csv", "order_id,ordered_at,customer_id,status,shipped_at", "1,2024-03-01,C1,new,2024-03-02", "orders"),
        ("Clients.csv", "client_id,name,email,city", "C1,Ada,ada@example.org,London", "customers"),
        ("articles.csv", "article_no,title,category,price", "P1,Tea,Drinks,4.50", "products"),
        ("refunds.csv", "return_id,order_id,customer_id,returned_at,amount", "1,1,C1,2024-03-01,5", "returns"),
        ("payments.csv", "payment_id,order_id,method,amount,paid_at", "1,1,card,5,2024-03-01", "payments"),
        ("coupon_redemptions.csv", "coupon,customer_id,redeemed_at", "K1,C1,2024-03-01", "coupon_redemptions"),
        ("branches.csv", "branch,city,country", "B1,London,GB", "stores"),
        ("sensors.csv", "sensor,temperature", "S1,20.5", None),
    ],
)  # fmt: skip
def test_a_feed_is_recognised_by_its_columns_and_its_name(
    project: Project, name: str, header: str, row: str, canonical: str | None
) -> None:
    [feed] = draft(project, {name: f"{header}\n{row}\n"}).feeds
    assert feed.canonical == canonical


def test_the_user_may_know_better(project: Project) -> None:
    [feed] = draft(project, {"sensors.csv": "sensor,temperature\nS1,20.5\n"}, fills={"sensors": "assets"}).feeds
    assert feed.canonical == "assets"


def test_events_with_a_date_are_appended_lists_are_snapshots(project: Project) -> None:
    files = {"order_lines.csv": LINES, "products.csv": "sku,title,price\nP1,Tea,4.50\nP2,Mug,9\n"}
    lines, products = draft(project, files).feeds
    assert (lines.extract, lines.key, lines.cursor) == ("append", ("order_no", "line"), "sold_at")
    assert (products.extract, products.key, products.cursor) == ("snapshot", ("sku",), None)


def test_the_draft_is_a_source_that_can_be_read(project: Project) -> None:
    draft(project, {"order_lines.csv": LINES, "sensors.csv": "sensor,temperature\nS1,20.5\n"}, timezone="Europe/Berlin")
    source = read_source(project.sources / "shop" / "source.yml")
    lines, sensors = source.feeds["order_lines"], source.feeds["sensors"]
    assert lines.canonical == ("order_lines",)
    assert lines.control_totals == {"quantity": "qty"}
    assert lines.columns["price"] == "DECIMAL(19,4)"
    assert sensors.canonical == ()
    assert source.timezone == "Europe/Berlin"


def test_every_open_question_is_marked(project: Project) -> None:
    draft(project, {"sales.csv": "receipt_no,day,customer_id,sku,total\n1,2024-03-01,C1,P1,5\n"})
    source, model = (project.sources / "shop" / "source.yml").read_text(), staged(project, "order_lines")
    assert "# DECIDE: key of order_lines: nothing was recognised as line_no" in source
    assert "-- DECIDE: no line number was recognised" in model
    assert "-- DECIDE: no quantity was recognised" in model
    assert "-- DECIDE: a code of dbt/seeds/channels.csv" in model


def test_rows_without_a_key_are_never_left_out_unasked(project: Project) -> None:
    [feed] = draft(project, {"people.csv": "visit,spend\n1,2.50\n1,2.50\n0,0\n"}).feeds
    source = (project.sources / "shop" / "source.yml").read_text()
    assert "# DECIDE: key: rows like an earlier one in all these columns (1) would be left out" in source
    assert "placeholder" in feed.why["key"]


def test_a_file_of_lines_of_many_lengths_is_asked_for_its_names(project: Project) -> None:
    draft(project, {"baskets.csv": "tea,milk\nmilk\ntea,milk\nbeer\nrum,milk,tea\n"})
    source = (project.sources / "shop" / "source.yml").read_text()
    assert "# DECIDE: path: the first line is read as the names of the columns; is it that?" in source


def test_staging_fills_what_matched_and_completes_the_money(project: Project) -> None:
    draft(project, {"order_lines.csv": LINES}, timezone="Europe/Berlin")
    model = staged(project, "order_lines")
    for line in (
        "    cast(order_no as varchar) as order_id,",
        "    {{ utc_time('sold_at', 'Europe/Berlin') }} as ordered_at,",
        "    sold_at as ordered_at_local,",
        "    _business_date as order_date,",
        "    cust_id as customer_id,",
        "    cast(qty * price as decimal(19, 4)) as net",
        "    cast(0 as decimal(19, 4)) as discount_retail,",
        "from {{ landed('shop', 'order_lines') }} as landed",
    ):
        assert line in model.splitlines(), model


def test_rows_that_say_when_they_changed_are_upserted(project: Project) -> None:
    text = (
        "order_id,ordered_at,customer_id,status,updated_at,is_deleted\n1,2024-03-01,C1,new,2024-03-02 10:00:00,false\n"
    )
    draft(project, {"orders.csv": text})
    orders = read_source(project.sources / "shop" / "source.yml").feeds["orders"]
    assert (orders.extract, orders.updated_at, orders.deleted_when) == ("upsert", "updated_at", "is_deleted")
    assert (orders.key, orders.cursor) == (("order_id",), "ordered_at")
    assert "    _op as op, _updated_at as updated_at, _superseded as is_superseded," in staged(project, "orders")


def test_files_that_arrive_day_by_day_are_read_once_each(project: Project) -> None:
    days = {f"orders_2024-03-0{day}.csv": LINES.replace("2024-03-01", f"2024-03-0{day}") for day in (1, 2)}
    people = {"customers_20240301.csv": "customer_id,city\nC1,London\n"}
    draft(project, days | people)
    customers, orders = read_source(project.sources / "shop" / "source.yml").feeds.values()
    assert orders.files
    assert orders.files.date == r"(\d{4}-\d{2}-\d{2})"
    assert (orders.path, orders.extract, orders.cursor) == ("orders_*.csv", "append", "sold_at")
    assert customers.files
    assert customers.files.date == r"(\d{8})"
    model = staged(project, "customers")
    assert "_business_date as effective_from" in model
    assert "landed('shop', 'customers', history=true)" in model


def test_personal_data_is_mapped_to_the_contract_and_matched_by_keyed_hash(project: Project) -> None:
    draft(project, {"customers.csv": "customer_id,full_name,email,city\nC1,Ada,ada@example.org,London\n"})
    customers = read_source(project.sources / "shop" / "source.yml").feeds["customers"]
    assert customers.pii == {"full_name": "name", "email": "email"}
    assert "    _email_key as email_key" in staged(project, "customers")


FACTS = "day_id,product_id,store_id,customer_id,units_sold,store_sales,store_cost\n"
STAR = {
    "sales_fact_1997.csv": FACTS + "1,P1,S1,C1,2,5.00,2.10\n2,P1,S1,C2,1,2.50,1.05\n2,P1,S1,C2,1,2.50,1.05\n",
    "days.csv": "day_id,the_day,weekday\n1,1997-01-05,Sunday\n2,1997-01-06,Monday\n3,1997-01-07,Tuesday\n",
}


def test_facts_of_a_star_take_their_days_from_the_list_of_days(project: Project) -> None:
    draft(project, STAR)
    feeds = read_source(project.sources / "shop" / "source.yml").feeds
    facts = feeds["sales_fact_1997"]
    assert facts.canonical == ("order_lines",)
    assert facts.dated_by is not None
    assert (facts.dated_by.feed, facts.dated_by.key, facts.dated_by.column) == ("days", "day_id", "the_day")
    assert facts.control_totals == {"net_amount": "store_sales", "quantity": "units_sold"}
    model = staged(project, "order_lines").splitlines()
    assert "    _business_date as order_date," in model
    assert "    store_cost as cost" in model


def test_what_a_database_writes_for_null_is_found(project: Project) -> None:
    people = "customer_id,fname,lname,city,since\n1,Ada,Byron,London,1997-01-05\n2,Max,NULL,,NULL\n"
    [feed] = draft(project, {"customers.csv": people}).feeds
    customers = read_source(project.sources / "shop" / "source.yml").feeds["customers"]
    assert customers.csv.null == ("", "NULL")
    assert customers.columns["since"] == "DATE"
    assert feed.personal == {"fname": "name", "lname": "name"}


def test_two_feeds_of_one_kind_share_a_staging_model(project: Project) -> None:
    files = {"eu/order_lines.csv": LINES, "us/order_lines.csv": LINES.replace("price", "net")}
    draft(project, files)
    first, second = staged(project, "order_lines").split("union all")
    assert "landed('shop', 'eu_order_lines')" in first
    assert "landed('shop', 'us_order_lines')" in second
    assert "cast(null as decimal(19, 4)) as unit_price" in second


def test_personal_data_is_found_by_name_and_by_what_it_looks_like(project: Project) -> None:
    header = "customer_id,first_name,contact,dob,city"
    rows = "C1,Ada,ada@example.org,1990-01-01,London\nC2,Max,max@example.org,1991-01-01,Berlin\n"
    [feed] = draft(project, {"customers.csv": f"{header}\n{rows}"}).feeds
    assert feed.personal == {"first_name": "name", "contact": "email", "dob": "birth_date"}
    assert not {"first_name", "contact", "dob"} & set(feed.match.columns.values() if feed.match else ())
    assert not {"first_name", "contact", "dob"} & {name for key in [feed.key] for name in key}


def test_the_proposed_suite_is_one_the_gate_reads(project: Project) -> None:
    many = LINES + "".join(f"{n},1,2024-03-02 10:00:00,C{n},P1,1,4.50\n" for n in range(2, 30))
    draft(project, {"order_lines.csv": many})
    rules = {
        rule.meta.rule: rule for rule in load_suite(project.expectations / "landing/shop/order_lines.json").expectations
    }
    assert rules["order_no_present"].meta.severity == "quarantine"
    assert rules["keys_mostly_present"].meta.severity == "critical"
    assert rules["sku_known"].kwargs["value_set"] == ["P1", "P2"]
    assert rules["qty_in_range"].kwargs == {"column": "qty", "min_value": 0, "max_value": 4}


def test_no_value_of_a_person_stands_in_a_draft(project: Project) -> None:
    rows = "".join(f"C{n},Ada Byron,ada@example.org\n" for n in range(30))
    drafted = draft(project, {"customers.csv": f"customer_id,name,email\n{rows}"})
    for path in drafted.files:
        assert "ada@example.org" not in path.read_text()
        assert "Ada Byron" not in path.read_text()


def test_nothing_is_written_over(project: Project) -> None:
    draft(project, {"order_lines.csv": LINES})
    before = {path: path.read_bytes() for path in project.sources.rglob("*.yml")}
    with pytest.raises(ConfigurationError, match="has files already"):
        draft(project, {"products.csv": "sku,title\nP1,Tea\n"})
    assert {path: path.read_bytes() for path in project.sources.rglob("*.yml")} == before


@pytest.mark.parametrize("fills", [{"gone": "order_lines"}, {"order_lines": "gone"}])
def test_a_wrong_hint_is_refused_before_anything_is_written(project: Project, fills: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="gone"):
        draft(project, {"order_lines.csv": LINES}, fills=fills)
    assert not project.sources.exists()


@pytest.mark.parametrize(("low", "high", "expected"), [(1, 2, (0, 4)), (-5, 5, (-15, 15)), (0, 0, (0, 1))])
def test_a_proposed_range_leaves_room(low: int, high: int, expected: tuple[int, int]) -> None:
    assert margin(low, high) == expected


@pytest.mark.parametrize(
    "text", ["plain", "yes", "a: b", "*.csv", "${A:-/tmp/x}", "1.5", "", "it's # so", "null", "- a"]
)
def test_a_scalar_is_read_as_it_was_meant(text: str) -> None:
    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}


def test_columns_that_sql_would_misread_are_quoted_by_the_adapter() -> None:
    assert [column(name) for name in ("InvoiceNo", "order", "Customer ID")] == [
        "invoiceno", "{{ adapter.quote('order') }}", "{{ adapter.quote('Customer ID') }}"
    ]  # fmt: skip
    assert json.dumps(column("it's")) == json.dumps("{{ adapter.quote('it\\'s') }}")
