"""AdventureWorks, whole: a web shop, resellers and a CRM of one company, against figures worked out from the files."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.installation import Installation
from tests.support.real_data import published_data

pytestmark = pytest.mark.long

SHOP = "adventureworks_dw"
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def files() -> Path:
    return published_data("ADVENTUREWORKS_DIR", SHOP, "adventureworks_oltp")


@pytest.fixture(scope="module")
def loaded(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("adventureworks")
    env = {"CLIENTELE_SOURCES": "adventureworks", "ADVENTUREWORKS_DIR": str(files)}
    here = Installation(folder / "home", folder, env)
    assert here.load()["status"] == "published"
    return here


def asked(files: Path, query: str) -> list[tuple[Any, ...]]:
    """The answer of the files themselves; `{Name}` is a table of the shop's warehouse."""
    names = {path.stem: f"'{path}'" for path in (files / SHOP).glob("*.parquet")}
    with duckdb.connect() as con:
        return con.execute(query.format(**names)).fetchall()


@pytest.mark.parametrize(
    ("table", "channel", "lines", "customers", "net"),
    [
        ("FactInternetSales", "online", 60_398, 18_484, "29358677.22"),
        ("FactResellerSales", "partner", 60_855, 635, "80450596.98"),
    ],
)
def test_every_line_is_sold_once_for_what_the_company_says(
    loaded: Installation, files: Path, table: str, channel: str, lines: int, customers: int, net: str
) -> None:
    who = "CustomerKey" if channel == "online" else "ResellerKey"
    expected = asked(
        files,
        f"select count(*), count(distinct SalesOrderNumber), count(distinct {who}), sum(OrderQuantity)::bigint,"
        f" sum(ExtendedAmount), sum(SalesAmount), sum(TotalProductCost) from {{{table}}}",
    )
    found = loaded.sql(
        "select count(*), count(distinct order_id), count(distinct customer_durable_key), sum(quantity)::bigint,"
        " sum(gross_amount), sum(net_amount), sum(cost_amount)"
        f" from star.fct_sales_line join star.dim_channel using (channel_key) where channel_code = '{channel}'"
    )
    assert found == expected
    assert (found[0][0], found[0][2]) == (lines, customers)
    assert found[0][5].quantize(CENT) == Decimal(net)


def test_feeds_and_fact_and_cube_agree_to_the_cent(loaded: Installation) -> None:
    told = dict(
        loaded.sql("select from_table, actual from ops.reconciliation where measure = 'net_amount' and difference = 0")
    )
    assert told["feed adventureworks.internet_sales"].quantize(CENT) == Decimal("29358677.22")
    assert told["feed adventureworks.reseller_sales"].quantize(CENT) == Decimal("80450596.98")
    assert loaded.sql("select net_sales, lines from cube.sales_total") == [(Decimal("109809274.2030"), 121_253)]


def test_departments_and_margin_are_those_of_the_product_lists(loaded: Installation, files: Path) -> None:
    sales = "select ProductKey, SalesAmount, TotalProductCost from {FactInternetSales} union all select ProductKey,"
    expected = asked(
        files,
        "select EnglishProductCategoryName, count(*), sum(SalesAmount - TotalProductCost)"
        f" from ({sales} SalesAmount, TotalProductCost from {{FactResellerSales}}) join {{DimProduct}}"
        f" using (ProductKey)"
        " join {DimProductSubcategory} using (ProductSubcategoryKey) join {DimProductCategory} using"
        " (ProductCategoryKey)"
        " group by 1 order by 1",
    )
    found = loaded.sql(
        "select department, count(*), sum(net_amount - cost_amount)"
        " from star.fct_sales_line join star.dim_product using (product_key) group by 1 order by 1"
    )
    assert found == expected
    assert [row[0] for row in found] == ["Accessories", "Bikes", "Clothing", "Components"]


def test_profit_by_month_is_that_of_the_files_down_to_where_costs_are_not_told(
    loaded: Installation, files: Path
) -> None:
    both = (
        "select OrderDate, SalesAmount, TotalProductCost from {FactInternetSales} union all"
        " select OrderDate, SalesAmount, TotalProductCost from {FactResellerSales}"
    )
    expected = asked(
        files,
        "select date_trunc('month', OrderDate)::date, sum(SalesAmount), sum(TotalProductCost),"
        f" sum(SalesAmount - TotalProductCost) from ({both}) group by 1 order by 1",
    )
    found = loaded.sql("select month_start_date, net_sales, cost, gross_margin from mart.mart_profit_month order by 1")
    assert found == expected
    # no source tells what campaigns cost, so nothing is said of what is left after them
    assert loaded.sql("select count(promotion_cost), count(contribution) from mart.mart_profit_month") == [(0, 0)]


def test_where_all_costs_are_known_customers_are_ranked_by_margin(loaded: Installation, files: Path) -> None:
    """The last month reaches back over the twelve that end with it; shop and resellers share nobody."""
    year = "OrderDate >= (select date_trunc('month', max(OrderDate)) - interval 11 month from {FactInternetSales})"
    expected = asked(
        files,
        "select count(distinct CustomerKey), sum(SalesAmount - TotalProductCost) from {FactInternetSales}"
        f" where {year}",
    )
    found = loaded.sql(
        "select count(distinct customer.customer_id), sum(months.margin_12_months)"
        " from mart.fct_customer_month as months"
        " join (select distinct mastered_customer_key, customer_id from star.bridge_identity"
        " join star.dim_customer as customers using (customer_durable_key)"
        " where bridge_identity.is_current and customers.is_current and source_system = 'adventureworks_dw'"
        " and customer_type = 'person') as customer using (mastered_customer_key)"
        " where months.month_start_date = (select max(month_start_date) from mart.customer_months)"
        " and orders_12_months > 0"
    )
    assert found == expected
    assert loaded.sql("select distinct value_basis from mart.mart_customer_pyramid") == [("gross margin",)]


def test_a_product_has_the_versions_its_list_gives_it(loaded: Installation, files: Path) -> None:
    versions = (
        "select ProductAlternateKey as id, StandardCost as cost, ListPrice as price, StartDate::date as day,"
        " row_number() over (partition by ProductAlternateKey order by StartDate) as nth,"
        " lead(StartDate::date) over (partition by ProductAlternateKey order by StartDate) as next from {DimProduct}"
    )
    expected = asked(
        files,
        "select id, case when nth = 1 then date '1900-01-01' else day end, coalesce(next, date"
        " '9999-12-31'), cost, price"
        f" from ({versions}) order by 1, 2",
    )
    found = loaded.sql(
        "select product_id, valid_from, valid_to, standard_cost, list_price from star.dim_product"
        " where product_key > 0 order by 1, 2"
    )
    assert found == expected
    assert len(found) == 606


def test_customers_of_all_four_lists_are_there(loaded: Installation) -> None:
    found = loaded.sql(
        "select source_system, customer_type, status, count(*) from star.dim_customer"
        " where customer_key > 0 and is_current and not is_inferred group by all order by all"
    )
    assert found == [
        ("adventureworks_crm", "organisation", None, 1_336),
        ("adventureworks_crm", "person", None, 18_484),
        ("adventureworks_dw", "organisation", "customer", 701),
        ("adventureworks_dw", "person", "customer", 18_484),
        ("adventureworks_dw", "person", "prospect", 2_059),
    ]
    assert loaded.sql(
        "select count(*) from star.dim_customer where source_system = 'adventureworks_dw' and status = 'customer'"
        " and (city is null or region is null or country is null)"
    ) == [(0,)]


def test_the_shop_and_the_crm_know_the_same_persons_by_number_and_by_keyed_hashes(loaded: Installation) -> None:
    def part(feed: str) -> str:
        return f"'{loaded.home}/landing/adventureworks/{feed}/*/part.parquet'"

    with duckdb.connect() as con:
        found = con.execute(
            "select count(*), count(*) filter (where shop._email_key = mail._email_key),"
            " count(*) filter (where shop._phone_key = phone._phone_key)"
            f" from {part('customers')} as shop join {part('crm_customers')} as crm"
            " on shop.CustomerAlternateKey = crm.AccountNumber"
            f" join {part('crm_email_addresses')} as mail on crm.PersonID = mail.BusinessEntityID"
            f" join {part('crm_phones')} as phone on crm.PersonID = phone.BusinessEntityID"
        ).fetchall()
        columns = {row[0] for row in con.execute(f"describe select * from {part('customers')}").fetchall()}
    assert found == [(18_484, 18_484, 18_484)]
    assert not columns & {"FirstName", "LastName", "BirthDate", "EmailAddress", "Phone", "AddressLine1"}


def test_reasons_share_each_line_exactly_and_no_money_is_made(loaded: Installation, files: Path) -> None:
    assert loaded.sql(
        "select count(*), count(distinct (order_id, line_no)), sum(weight) from star.bridge_sales_reason"
    ) == [(64_515, 53_969, Decimal("53969.000000000000"))]
    assert loaded.sql(
        "select count(*) from (select 1 from star.bridge_sales_reason group by order_id, line_no having"
        " sum(weight) <> 1)"
    ) == [(0,)]
    shared = loaded.sql(
        "select sum(net_amount * weight) from star.fct_sales_line join star.bridge_sales_reason using"
        " (order_id, line_no)"
    )
    expected = asked(
        files,
        "select sum(SalesAmount) from {FactInternetSales} semi join {FactInternetSalesReason}"
        " using (SalesOrderNumber, SalesOrderLineNumber)",
    )
    assert shared[0][0] == expected[0][0]


def test_the_reasons_by_line_are_those_the_crm_keeps_by_order(loaded: Installation, files: Path) -> None:
    csv = files / "adventureworks_oltp" / "SalesOrderHeaderSalesReason.csv"
    with duckdb.connect() as con:
        expected = con.execute(
            f"select 'SO' || SalesOrderID, SalesReasonID::varchar from '{csv}' order by all"
        ).fetchall()
    assert loaded.sql(
        "select distinct order_id, reason_id from star.bridge_sales_reason join star.dim_reason using (reason_key)"
        " order by all"
    ) == [tuple(row) for row in expected]


def test_every_line_has_the_rate_of_its_day(loaded: Installation, files: Path) -> None:
    assert loaded.sql("select count(*) from star.fct_sales_line where exchange_rate is null") == [(0,)]
    lines = (
        "select CurrencyKey, OrderDate, SalesAmount from {FactInternetSales} union all select CurrencyKey, OrderDate,"
    )
    expected = asked(
        files,
        "select CurrencyAlternateKey, count(*), sum(SalesAmount), round(sum(SalesAmount / AverageRate))"
        f" from ({lines} SalesAmount from {{FactResellerSales}}) as line join {{FactCurrencyRate}} as rate"
        " on line.CurrencyKey = rate.CurrencyKey and line.OrderDate = rate.Date"
        " join {DimCurrency} as currency on line.CurrencyKey = currency.CurrencyKey group by 1 order by 1",
    )
    found = loaded.sql(
        "select currency_code, count(*), sum(net_amount), round(sum(net_amount / exchange_rate))"
        " from star.fct_sales_line join star.dim_currency using (currency_key) group by 1 order by 1"
    )
    assert found == expected
    assert [row[0] for row in found] == ["AUD", "CAD", "DEM", "EUR", "FRF", "GBP", "USD"]


def test_promotions_are_the_campaigns_lines_were_sold_under(loaded: Installation, files: Path) -> None:
    expected = asked(
        files,
        "select EnglishPromotionName, count(*), sum(ExtendedAmount - SalesAmount) from {FactResellerSales}"
        " join {DimPromotion} using (PromotionKey) where PromotionKey <> 1 group by 1 order by 1",
    )
    found = loaded.sql(
        "select campaign_name, count(*), sum(discount_retail_amount) from star.fct_sales_line"
        " join star.dim_campaign using (campaign_key) join star.dim_channel using (channel_key)"
        " where channel_code = 'partner' and campaign_key > 0 group by 1 order by 1"
    )
    assert found == expected


def test_rates_shifts_and_answers_are_all_there(loaded: Installation, files: Path) -> None:
    assert loaded.sql("select count(*), count(distinct from_currency) from star.fct_fx_rate") == [(14_264, 14)]
    assert loaded.sql(
        "select count(*), sum(calls)::int, sum(orders)::int, sum(issues_raised)::int from star.fct_contact_centre_shift"
    ) == asked(
        files, "select count(*), sum(Calls)::int, sum(Orders)::int, sum(IssuesRaised)::int from {FactCallCenter}"
    )
    assert loaded.sql(
        "select count(*), count(distinct customer_durable_key) from star.fct_survey_answer where"
        " customer_durable_key > 0"
    ) == [(2_727, 1_656)]


def test_the_known_dirt_is_told_and_nothing_else(loaded: Installation) -> None:
    assert loaded.sql(
        "select feed, rule, unexpected_count from ops.quality_result where not success order by all"
    ) == [
        ("call_centre", "answered_calls_are_calls", 1),
        ("call_centre", "operators_add_up", 6),
        ("mart_customer_pyramid", "value_share_is_share", 1),  # the last tier, resellers who buy below cost
        ("products", "sold_product_has_cost", 2),
        ("prospects", "email_well_formed", 105),
    ]  # fmt: skip


def test_the_catalogue_names_who_fills_what(loaded: Installation) -> None:
    feeds = {entry["feed"]: entry for entry in loaded.run("catalog", "--json", check=0).json["canonical"]}
    assert feeds["fx_rates"]["measured"]
    assert feeds["surveys"]["measured"]
    assert not feeds["payments"]["measured"]
