"""FoodMart, the data set OLAP servers are tried with, brought in as sources/README.md tells it, answers as published.

The answers are those that Mondrian's own tests expect (pentaho/mondrian, BasicQueryTest, CompoundSlicerTest, SchemaTest
and others, each named where it is used). The files are not part of the project: PUBLISHED_DATA_DIR, or ../shared/data
beside the checkout, has them in foodmart/, as CSV with the tables' names.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import pytest

from dagster_project.olap.cube import Cube
from tests.support.brought_in import brought_in, told
from tests.support.installation import Installation
from tests.support.real_data import published_data

pytestmark = pytest.mark.long

TABLES = ("sales_fact_1997", "customer", "product", "product_class", "store", "promotion", "time_by_day")
SOURCE = """
name: foodmart
kind: files
root: ${FOODMART_DIR}
timezone: America/Los_Angeles
feeds:
  sales_fact_1997:
    path: sales_fact_1997.csv
    class: transactional
    canonical: order_lines
    extract: append
    dated_by: {feed: time_by_day, key: time_id, column: the_date}
    control_totals: {net_amount: store_sales, quantity: unit_sales}
    columns:
      product_id: BIGINT
      time_id: BIGINT
      customer_id: BIGINT
      promotion_id: BIGINT
      store_id: BIGINT
      store_sales: DECIMAL(19, 4)
      store_cost: DECIMAL(19, 4)
      unit_sales: DECIMAL(19, 4)
  customer:
    path: customer.csv
    class: descriptive
    canonical: customers
    extract: snapshot
    key: [customer_id]
    csv: {null: "NULL"}
    ignore: [mi, address2, address3, address4, postal_code, customer_region_id, fullname]
    pii: {fname: name, lname: name, address1: address, phone1: phone, phone2: phone, birthdate: birth_date}
    columns:
      customer_id: BIGINT
      account_num: BIGINT
      fname: VARCHAR
      lname: VARCHAR
      address1: VARCHAR
      city: VARCHAR
      state_province: VARCHAR
      country: VARCHAR
      phone1: VARCHAR
      phone2: VARCHAR
      birthdate: DATE
      marital_status: VARCHAR
      yearly_income: VARCHAR
      gender: VARCHAR
      total_children: BIGINT
      num_children_at_home: BIGINT
      education: VARCHAR
      date_accnt_opened: DATE
      member_card: VARCHAR
      occupation: VARCHAR
      houseowner: VARCHAR
      num_cars_owned: BIGINT
  product:
    path: product.csv
    class: descriptive
    canonical: products
    extract: snapshot
    key: [product_id]
    columns:
      product_class_id: BIGINT
      product_id: BIGINT
      brand_name: VARCHAR
      product_name: VARCHAR
      SKU: BIGINT
      SRP: DECIMAL(19, 4)
      gross_weight: DECIMAL(19, 4)
      net_weight: DECIMAL(19, 4)
      recyclable_package: BIGINT
      low_fat: BIGINT
      units_per_case: BIGINT
      cases_per_pallet: BIGINT
      shelf_width: DECIMAL(19, 4)
      shelf_height: DECIMAL(19, 4)
      shelf_depth: DECIMAL(19, 4)
  product_class:
    path: product_class.csv
    class: descriptive
    canonical: []
    extract: snapshot
    key: [product_class_id]
    columns:
      product_class_id: BIGINT
      product_subcategory: VARCHAR
      product_category: VARCHAR
      product_department: VARCHAR
      product_family: VARCHAR
  store:
    path: store.csv
    class: descriptive
    canonical: stores
    extract: snapshot
    key: [store_id]
    csv: {null: "NULL"}
    ignore: [store_street_address, store_manager, store_phone, store_fax]
    columns:
      store_id: BIGINT
      store_type: VARCHAR
      region_id: BIGINT
      store_name: VARCHAR
      store_number: BIGINT
      store_city: VARCHAR
      store_state: VARCHAR
      store_postal_code: BIGINT
      store_country: VARCHAR
      first_opened_date: TIMESTAMP
      last_remodel_date: TIMESTAMP
      store_sqft: BIGINT
      grocery_sqft: BIGINT
      frozen_sqft: BIGINT
      meat_sqft: BIGINT
      coffee_bar: BIGINT
      video_store: BIGINT
      salad_bar: BIGINT
      prepared_food: BIGINT
      florist: BIGINT
  promotion:
    path: promotion.csv
    class: promotional
    canonical: campaigns
    extract: snapshot
    key: [promotion_id]
    csv: {null: "NULL"}
    columns:
      promotion_id: BIGINT
      promotion_district_id: BIGINT
      promotion_name: VARCHAR
      media_type: VARCHAR
      cost: DECIMAL(19, 4)
      start_date: TIMESTAMP
      end_date: TIMESTAMP
  time_by_day:
    path: time_by_day.csv
    class: descriptive
    canonical: []
    extract: snapshot
    key: [time_id]
    csv: {null: "NULL"}
    columns:
      time_id: BIGINT
      the_date: TIMESTAMP
      the_day: VARCHAR
      the_month: VARCHAR
      the_year: BIGINT
      day_of_month: BIGINT
      week_of_year: BIGINT
      month_of_year: BIGINT
      quarter: VARCHAR
      fiscal_period: VARCHAR
"""
LIST = """
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
"""
CUSTOMERS = f"""{LIST}
    cast(customer_id as varchar) as customer_id, gender, marital_status, yearly_income as income_band, education,
    occupation, cast(total_children as varchar) as children, houseowner as home_owner, city, state_province as region,
    country, date_accnt_opened as first_seen_date
from {{{{ landed('foodmart', 'customer') }}}} as landed
"""
STORES = f"""{LIST}
    cast(store_id as varchar) as store_id, store_name, store_type, store_city as city, store_state as region,
    store_country as country
from {{{{ landed('foodmart', 'store') }}}} as landed
"""
CAMPAIGNS = f"""{LIST}
    cast(promotion_id as varchar) as campaign_id, promotion_name as campaign_name, media_type as channel,
    cast(start_date as date) as start_date, cast(end_date as date) as end_date
from {{{{ landed('foodmart', 'promotion') }}}} as landed
"""


@pytest.fixture(scope="module")
def foodmart(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    files = published_data("PUBLISHED_DATA_DIR", *(f"foodmart/{table}.csv" for table in TABLES)) / "foodmart"
    staging = {
        "order_lines": told("sql", "landed('foodmart', 'sales_fact_1997')"),
        "products": told("sql", "landed('foodmart', 'product')"),
        "customers": CUSTOMERS,
        "stores": STORES,
        "campaigns": CAMPAIGNS,
    }
    home = brought_in(tmp_path_factory.mktemp("foodmart"), SOURCE, staging, "1997-01-01")
    for table in TABLES:
        shutil.copy(files / f"{table}.csv", home.data)
    home.load("1997-12-31")
    return home


@pytest.fixture(scope="module")
def cube(foodmart: Installation) -> Iterator[Cube]:
    cube = Cube.open(foodmart.warehouse)
    yield cube
    cube.close()


def cents(value: Decimal) -> Decimal:
    """As a format string of two places shows it."""
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def cells(cube: Cube, metrics: str, by: str = "", where: str = "") -> dict[tuple[object, ...], tuple[object, ...]]:
    """Members -> values, in the order asked for."""
    levels = [level for level in by.split(",") if level]
    rows = cube.query(metrics, by=levels, where=where).arrow().to_pylist()
    width = len(levels)
    return {tuple(row.values())[:width]: tuple(row.values())[width:] for row in rows}


def test_all_sales_of_the_year(cube: Cube) -> None:
    """BasicQueryTest: sample 0 (266,773 units), sample 7 (565,238.13), testBugMondrian46 (5,581 customers)."""
    ((units, sales, cost, buyers),) = cells(cube, "units,net_sales,cost,buyers").values()
    assert (units, cents(sales), cents(cost), buyers) == (266_773, Decimal("565238.13"), Decimal("225627.23"), 5_581)


# BasicQueryTest, sample 7: store sales of the months of 1997, and their sums since January
MONTHS = """
45539.69 45539.69   44058.79 89598.48   50029.87 139628.35  42878.25 182506.60  44456.29 226962.89  45331.73 272294.62
50246.88 322541.50  46199.04 368740.54  43825.97 412566.51  42342.27 454908.78  53363.71 508272.49  56965.64 565238.13
"""


def test_sales_of_each_month_and_of_the_year_to_date(cube: Cube) -> None:
    published = [Decimal(word) for word in MONTHS.split()]
    found = cells(cube, "net_sales,net_sales.year_to_date", "calendar.month")
    assert [cents(value) for row in found.values() for value in row] == published


# BasicQueryTest, sample 5: cost, sales and profit rate of each department; Dairy is one of Food and one of Drink
DEPARTMENTS = """
Food|Breakfast Foods|2756.80|6941.46|151.79         Non-Consumable|Carousel|595.97|1500.11|151.71
Food|Canned Products|1317.13|3314.52|151.65         Food|Baking Goods|15370.61|38670.41|151.59
Drink|Alcoholic Beverages|5576.79|14029.08|151.56   Non-Consumable|Health and Hygiene|12972.99|32571.86|151.07
Food|Snack Foods|26963.34|67609.82|150.75           Food|Baked Goods|6564.09|16455.43|150.69
Drink|Beverages|11069.53|27748.53|150.67            Food|Frozen Foods|22030.66|55207.50|150.59
Non-Consumable|Periodicals|3614.55|9056.76|150.56   Food|Produce|32831.33|82248.42|150.52
Food|Seafood|1520.70|3809.14|150.49                 Food|Deli|10108.87|25318.93|150.46
Food|Meat|1465.42|3669.89|150.43                    Food|Canned Foods|15894.53|39774.34|150.24
Non-Consumable|Household|24170.73|60469.89|150.18   Food|Starchy Foods|4705.91|11756.07|149.82
Food|Eggs|3684.90|9200.76|149.69                    Food|Snacks|5827.58|14550.05|149.68
Food|Dairy|12228.85|30508.85|149.48                 Drink|Dairy|2830.92|7058.60|149.34
Non-Consumable|Checkout|1525.04|3767.71|147.06
"""


def test_cost_and_sales_of_each_department(cube: Cube) -> None:
    rows = [cell.strip().split("|") for line in DEPARTMENTS.split("\n") for cell in line.split("  ") if cell.strip()]
    published = {(row[0], row[1]): tuple(map(Decimal, row[2:])) for row in rows}
    found = cells(cube, "cost,net_sales", "product.product_family,product.department")
    assert len(published) == 23
    assert {
        member: (cents(cost), cents(sales), cents(100 * (sales - cost) / cost))
        for member, (cost, sales) in found.items()
    } == published


# BasicQueryTest, sample 4: sales from January to April of the five departments that sold most
TO_APRIL = {
    "Produce": "26526.67", "Snack Foods": "21897.10", "Household": "19980.90", "Frozen Foods": "17882.63",
    "Canned Foods": "12963.23",
}  # fmt: skip


def test_the_best_departments_of_the_year_to_april(cube: Cube) -> None:
    answer = cube.query(
        "net_sales.year_to_date", by=["product.product_family", "product.department"],
        where="calendar.month = '1997-04'", order="-net_sales.year_to_date", limit=5,
    )  # fmt: skip
    rows = [tuple(row.values()) for row in answer.arrow().to_pylist()]
    assert [(row[-2], str(cents(row[-1]))) for row in rows] == list(TO_APRIL.items())


# BasicQueryTest, sample 1: units by the medium of the promotion they were sold under
MEDIA = {
    "Daily Paper, Radio, TV": 9513, "Daily Paper": 7738, "Product Attachment": 7544, "Daily Paper, Radio": 6891,
    "Cash Register Handout": 6697, "Sunday Paper, Radio": 5945, "Street Handout": 5753, "Sunday Paper": 4339,
    "Bulk Mail": 4320, "In-Store Coupon": 3798, "TV": 3607, "Sunday Paper, Radio, TV": 2726, "Radio": 2454,
}  # fmt: skip


def test_units_by_the_medium_of_their_promotion(cube: Cube) -> None:
    found = cells(cube, "units", "campaign.medium")
    assert {medium: units for (medium,), (units,) in found.items() if medium != "No Media"} == MEDIA


def test_sales_under_any_promotion(cube: Cube) -> None:
    """BasicQueryTest, sample 8: 151,211.21."""
    ((sales,),) = cells(cube, "net_sales", where="campaign.campaign_id <> '0'").values()
    assert cents(sales) == Decimal("151211.21")


def test_people_of_each_state_among_men(cube: Cube) -> None:
    """SchemaTest.testDeprecatedDistinctCountAggregator: units and distinct customers, by the store's state."""
    found = cells(cube, "units,buyers", "store.region", "customer.gender = 'M'")
    assert found == {("CA",): (37_989, 1_389), ("OR",): (34_623, 536), ("WA",): (62_603, 901)}


def test_units_by_gender(cube: Cube) -> None:
    """BasicQueryTest.testBugMondrian: 131,558 units of women, 135,215 of men."""
    assert cells(cube, "units", "customer.gender") == {("F",): (131_558,), ("M",): (135_215,)}


def test_people_over_quarters_are_counted_once(cube: Cube) -> None:
    """CompoundSlicerTest.testDistinctCountMeasureInSlicer: of the first half-year, by gender and in all."""
    half = "calendar.quarter in ('1997-Q1', '1997-Q2')"
    assert cells(cube, "buyers", "customer.gender", half) == {("F",): (2_095,), ("M",): (2_162,)}
    assert cells(cube, "buyers", where=half) == {(): (4_257,)}


def test_people_of_two_slices_that_overlap_are_counted_once(cube: Cube) -> None:
    """CompoundSlicerTest.testCompoundSlicerWithDistinctCount: 1,069 and 155 people are 1,175 together."""
    food = "product.product_family = 'Food' and calendar.quarter = '1997-Q1'"
    drink = "product.product_family = 'Drink' and calendar.month = '1997-04'"
    for place, expected in {
        "store.region = 'CA'": (1_069, 155, 1_175),
        "store.region = 'OR' and store.city = 'Portland'": (332, 48, 352),
    }.items():
        found = [
            cells(cube, "buyers", where=f"{place} and ({slices})").popitem()[1][0]
            for slices in (food, drink, f"({food}) or ({drink})")
        ]
        assert tuple(found) == expected


def test_people_of_two_levels_of_education_in_two_states(cube: Cube) -> None:
    """CompoundSlicerTest.testDistinctCountWithAggregateMembersAndCompSlicer: 450 women."""
    where = (
        "calendar.quarter in ('1997-Q1', '1997-Q2') and store.region in ('CA', 'OR') and customer.gender = 'F'"
        " and customer.education in ('Bachelors Degree', 'Graduate Degree')"
    )
    assert cells(cube, "buyers", where=where) == {(): (450,)}


# BasicQueryTest, sample 6: share of alcoholic drinks among the drinks of the cities of Washington, units
CITIES = """
Seattle 44.05, Kirkland 34.41, Marysville 34.20, Anacortes 32.93, Olympia 31.05, Ballard 30.84, Bremerton 30.69,
Puyallup 29.81, Yakima 28.82, Tacoma 28.70, Everett 28.37, Renton 26.67, Issaquah 26.60, Bellingham 26.47,
Port Orchard 26.42, Redmond 26.28, Spokane 25.96, Burien 24.70, Lynnwood 21.89, Walla Walla 21.47, Edmonds 17.47,
Sedro Woolley 13.79
"""


def test_share_of_alcohol_among_the_drinks_of_each_city(cube: Cube) -> None:
    published = dict(part.strip().rsplit(" ", 1) for part in CITIES.split(","))
    answer = cube.query(
        "units.share_of_parent",
        by=["customer.city", "product.product_family", "product.department"],
        where="customer.country = 'USA' and customer.region = 'WA' and product.product_family = 'Drink'",
    )
    rows = [tuple(row.values()) for row in answer.arrow().to_pylist()]
    found = {
        city: str(cents(100 * Decimal(repr(share))))
        for city, _, department, share in rows
        if department == "Alcoholic Beverages"
    }
    assert found == published


def test_drilling_goes_down_the_stores_and_products_and_back(cube: Cube) -> None:
    """BasicQueryTest, the view of products joined in SQL: the categories of Drink, Beverages."""
    answer = cube.query("units", by="product.product_family").drill("Drink").drill("Beverages")
    rows = [tuple(row.values()) for row in answer.arrow().to_pylist()]
    assert {row[-2]: row[-1] for row in rows} == {
        "Carbonated Beverages": 3407, "Drinks": 2469, "Hot Beverages": 4301, "Pure Juice Beverages": 3396,
    }  # fmt: skip
    assert answer.roll_up().roll_up().arrow().num_rows == 3
