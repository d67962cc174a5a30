"""The files of Online Retail, arriving in order, shuffled and at once: real dirt, every line accounted for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tests.support.installation import assert_same_tables
from tests.support.online_retail import Figures, Shop, data, days, figures, in_warehouse, of_files

pytestmark = pytest.mark.long

# the 14 trading days around the order of 74,215 jars that was cancelled within minutes
FIRST, NIGHTS = "2011-01-06", 14


def fortnight() -> list[date]:
    begin = [day.isoformat() for day in days()].index(FIRST)
    return days()[begin : begin + NIGHTS]


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Three nights with a file each, then the other days in one run."""
    shop = Shop.at(tmp_path_factory.mktemp("in_order"))
    nights = fortnight()
    for night in nights[:3]:
        shop.arrive(night)
        shop.load(night.isoformat())
    shop.arrive(*nights[3:])
    shop.load(nights[-1].isoformat(), "--from", nights[3].isoformat())
    return shop


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """All 305 files, landed by one load."""
    shop = Shop.at(tmp_path_factory.mktemp("year"))
    shop.arrive(*days())
    shop.load(days()[-1].isoformat())
    return shop


def test_each_file_lands_once_whole_on_its_night(in_order: Shop) -> None:
    landed = in_order.sql("select load_date::varchar, rows_read, rows_accepted from ops.batch order by load_id")
    nights = fortnight()
    sizes = [len(of_files([night])) for night in nights]
    dates = [night.isoformat() for night in [*nights[:3], nights[-1]]]
    counts = [*sizes[:3], sum(sizes[3:])]
    assert landed == [(day, count, count) for day, count in zip(dates, counts, strict=True)]


def test_every_line_of_the_nights_is_accounted_for_to_the_cent(in_order: Shop) -> None:
    assert in_warehouse(in_order) == figures(of_files(fortnight()))


def test_arrival_out_of_order_gives_the_same_tables(in_order: Shop, tmp_path: Path) -> None:
    shuffled = Shop.at(tmp_path)
    nights = fortnight()
    for arriving in ([nights[7], nights[1], nights[12]], nights[8:12] + nights[2:5], nights):
        late = [night for night in arriving if not (shuffled.data / "by-day" / f"{night}.csv").exists()]
        shuffled.arrive(*late)
        shuffled.load(nights[-1].isoformat())
    assert_same_tables(in_order, shuffled)


def test_a_rebuild_gives_the_same_tables(in_order: Shop, tmp_path: Path) -> None:
    rebuilt = in_order.copy(tmp_path / "rebuilt")
    assert rebuilt.load(fortnight()[-1].isoformat(), "--rebuild")["kind"] == "rebuild"
    assert_same_tables(in_order, rebuilt)


def test_a_giant_order_and_its_cancellation_both_stay(in_order: Shop) -> None:
    sold = in_order.sql("select order_id, quantity, net_amount from star.fct_sales_line where quantity > 70000")
    returned = in_order.sql(
        "select return_id, quantity, return_amount from star.fct_return_line where quantity > 70000"
    )
    assert sold == [("541431", 74215, Decimal("77183.6"))]
    assert returned == [("C541433", 74215, Decimal("77183.6"))]


def test_all_541909_lines_are_accounted_for_to_the_cent(year: Shop) -> None:
    expected = figures(pd.read_parquet(data() / "online_retail.parquet"))
    assert in_warehouse(year) == expected
    assert expected == {
        "sales": Figures(528_919, 5_645_124, Decimal("10271433.060")),
        "returns": Figures(10_040, -478_987, Decimal("-478724.180")),
        "charges": Figures(2_950, 10_313, Decimal("-44960.946")),
    }
    assert sum(figure.rows for figure in expected.values()) == 541_909
    assert sum(figure.amount for figure in expected.values()) == Decimal("9747747.934")
    assert year.sql("select sum(rows_quarantined + rows_rejected) from ops.batch") == [(0,)]


def test_twins_and_lines_without_customer_survive(year: Shop) -> None:
    lines = pd.read_parquet(data() / "online_retail.parquet")
    facts = ("star.fct_sales_line", "star.fct_return_line", "star.fct_order_charge")
    unknown = sum(year.sql(f"select count(*) from {fact} where customer_durable_key = -1")[0][0] for fact in facts)
    assert unknown == int(lines["CustomerID"].isna().sum()) == 135_080
    assert int(lines.duplicated().sum()) == 5_268


def test_customers_and_countries(year: Shop) -> None:
    lines = pd.read_parquet(data() / "online_retail.parquet").dropna(subset="CustomerID")
    countries = lines.groupby("CustomerID")["Country"].nunique()
    members = "from star.dim_customer where customer_durable_key > 0"
    known = year.sql(f"select count(distinct customer_id), count(*) filter (is_inferred) {members}")
    assert known == [(len(countries), 0)]
    moved = year.sql(f"select customer_id {members} group by 1 having count(distinct country) > 1 order by 1")
    assert [int(customer) for (customer,) in moved] == sorted(countries[countries > 1].index)
    assert len(moved) == 8


def test_a_line_points_to_the_country_of_its_day(year: Shop) -> None:
    lines = pd.read_parquet(data() / "online_retail.parquet").dropna(subset="CustomerID")
    expected = lines.groupby("Country")["InvoiceNo"].count().to_dict()
    facts = ("fct_sales_line", "fct_return_line", "fct_order_charge")
    united = " union all ".join(f"select customer_key from star.{fact}" for fact in facts)
    found = dict(
        year.sql(
            f"select country, count(*) from ({united}) join star.dim_customer using (customer_key)"
            " where customer_durable_key > 0 group by country"
        )
    )
    assert found == expected


def test_stock_remarks_are_no_product_names(year: Shop) -> None:
    named = year.sql("select distinct lower(product_name) from star.dim_product where product_durable_key > 0")
    assert not {("damaged",), ("check",), ("?",), ("found",), ("ebay",)} & set(named)
    renamed = year.sql("select count(*) from (select product_id from star.dim_product group by 1 having count(*) > 1)")
    assert renamed[0][0] > 150


# Figures that many reports of this data print (UCI's set, lines with a customer, a positive quantity and a price): the
# cleaned totals, as "total_orders 18532, unique_customers 4338, total_revenue 8911407.904", and the first rows of the
# RFM table on 9 December 2011: recency in days, frequency in lines, frequency in invoices, monetary value. They count
# postage and manual lines with the goods, which the star tells apart (order_charges).
CLEANED = (397_884, 18_532, 4_338, Decimal("8911407.904"))
RFM = {
    "12346": (325, 1, 1, Decimal("77183.60")),
    "12347": (2, 182, 7, Decimal("4310.00")),
    "12348": (75, 31, 4, Decimal("1797.24")),
    "12349": (18, 73, 1, Decimal("1757.55")),
    "12350": (310, 17, 1, Decimal("334.40")),
}
BOUGHT = """
    select c.customer_id, order_id, net_amount as amount
    from star.fct_sales_line join star.dim_customer as c using (customer_key)
    where c.customer_durable_key > 0 and quantity > 0 and net_amount > 0
    union all
    select c.customer_id, order_id, charge_amount
    from star.fct_order_charge join star.dim_customer as c using (customer_key)
    where c.customer_durable_key > 0 and quantity > 0 and charge_amount > 0
"""


def test_the_cleaned_totals_are_those_of_public_reports(year: Shop) -> None:
    found = year.sql(
        f"select count(*), count(distinct order_id), count(distinct customer_id), sum(amount) from ({BOUGHT})"
    )
    assert found == [CLEANED]


def test_recency_frequency_and_money_are_those_of_public_reports(year: Shop) -> None:
    listed = ", ".join(f"'{customer}'" for customer in RFM)
    found = year.sql(
        f"select customer_id, count(*), count(distinct order_id), sum(amount) from ({BOUGHT})"
        f" where customer_id in ({listed}) group by 1"
    )
    marts = year.sql(
        "select c.customer_id, recency_days, orders_to_date from mart.mart_customer_360"
        " join star.bridge_identity as links using (mastered_customer_key)"
        " join star.dim_customer as c on links.customer_durable_key = c.customer_durable_key and c.is_current"
        f" where links.is_current and c.customer_id in ({listed})"
    )
    measured = {customer: (recency, orders) for customer, recency, orders in marts}
    assert {
        customer: (measured[customer][0], lines, measured[customer][1], money) for customer, lines, _, money in found
    } == RFM
