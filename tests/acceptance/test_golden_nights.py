"""Five nights in a shop of three households, worked out by hand.

In them: a late line, a line before its customer is known, a band that changes, a customer deleted and
returning, a product that moves to another department, and a change learnt after the day was loaded.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.installation import Installation, assert_same_tables
from tests.support.small_shop import SmallShop

CUSTOMERS = """
    select customer_id, age_band, valid_from::varchar, valid_to::varchar, is_current, is_deleted, is_inferred
    from star.dim_customer where customer_durable_key > 0 order by customer_id, valid_from
"""
PRODUCTS = """
    select product_id, department, valid_from::varchar, valid_to::varchar, is_current
    from star.dim_product where product_durable_key > 0 order by product_id, valid_from
"""
LINES = """
    select f.order_id, f.order_date::varchar, c.customer_id, c.age_band, p.department, f.net_amount::varchar
    from star.fct_sales_line f join star.dim_customer c using (customer_key) join star.dim_product p using (product_key)
    order by f.order_id::int
"""
CUBE = """
    select department, age_band, sum(net_sales)::varchar from cube.sales_base group by all order by all
"""


def household(number: int, age: str) -> tuple[object, ...]:
    return (number, age, "35-49K", None, None, "1", "1 Adult No Kids", "0")


def product(number: int, department: str) -> tuple[object, ...]:
    return (number, 2, department, "National", "MILK", "FLUID MILK", None)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installation]:
    """The home after each night."""
    folder = tmp_path_factory.mktemp("golden")
    shop = SmallShop(folder / "home-data")
    home = Installation(folder / "home", shop.folder)
    after: dict[str, Installation] = {}

    def night(name: str, day: str, *options: str) -> None:
        shop.write()
        home.load(day, *options)
        after[name] = home.copy(folder / name)

    shop.set("demographics", household(1, "25-34"), household(2, "45-54"))
    shop.set("products", product(10, "GROCERY"), product(20, "PASTRY"))
    shop.line(100, 1, 10, "2017-03-01 15:00:00", 2.00)
    shop.line(101, 3, 20, "2017-03-01 16:00:00", 3.00)  # household 3 is not known yet
    night("first", "2017-03-01")

    shop.set("demographics", household(1, "35-44"))  # its band changes
    shop.line(102, 1, 10, "2017-03-02 15:00:00", 2.50)
    # 04:30 UTC on the 3rd is 23:30 in New York on the 2nd
    shop.line(103, 1, 20, "2017-03-03 04:30:00", 1.25)
    night("second", "2017-03-02")

    shop.remove("demographics", 2)
    shop.set("demographics", household(3, "19-24"))
    shop.set("products", product(10, "DAIRY"))  # it moves to another department
    shop.line(104, 1, 10, "2017-03-01 20:00:00", 7.00)  # late: belongs to the first night
    shop.line(105, 2, 20, "2017-03-03 15:00:00", 4.00)
    shop.line(106, 3, 10, "2017-03-03 16:00:00", 5.00)
    night("third", "2017-03-03", "--accept-deletes", "complete_journey.demographics")

    shop.set("demographics", household(2, "55-64"))  # it returns, older
    shop.line(107, 2, 10, "2017-03-04 15:00:00", 1.00)
    shop.line(108, 1, 20, "2017-03-04 16:00:00", 6.00)
    night("fourth", "2017-03-04")

    shop.set("demographics", household(1, "45-54"))  # learnt after the 4th was loaded, valid on it
    night("fourth again", "2017-03-04")
    return after


def test_a_line_before_its_customer_gets_an_inferred_member(nights: dict[str, Installation]) -> None:
    assert nights["first"].sql(CUSTOMERS) == [
        ("1", "25-34", "1900-01-01", "9999-12-31", True, False, False),
        ("2", "45-54", "1900-01-01", "9999-12-31", True, False, False),
        ("3", None, "1900-01-01", "9999-12-31", True, False, True),
    ]
    assert nights["first"].sql(LINES) == [
        ("100", "2017-03-01", "1", "25-34", "GROCERY", "2.0000"),
        ("101", "2017-03-01", "3", None, "PASTRY", "3.0000"),
    ]


def test_a_changed_band_holds_from_the_night_it_was_seen(nights: dict[str, Installation]) -> None:
    assert nights["second"].sql(CUSTOMERS)[:2] == [
        ("1", "25-34", "1900-01-01", "2017-03-02", False, False, False),
        ("1", "35-44", "2017-03-02", "9999-12-31", True, False, False),
    ]
    assert nights["second"].sql(LINES) == [
        ("100", "2017-03-01", "1", "25-34", "GROCERY", "2.0000"),
        ("101", "2017-03-01", "3", None, "PASTRY", "3.0000"),
        ("102", "2017-03-02", "1", "35-44", "GROCERY", "2.5000"),
        ("103", "2017-03-02", "1", "35-44", "PASTRY", "1.2500"),
    ]


def test_late_lines_deleted_customers_and_moved_products(nights: dict[str, Installation]) -> None:
    assert nights["third"].sql(CUSTOMERS) == [
        ("1", "25-34", "1900-01-01", "2017-03-02", False, False, False),
        ("1", "35-44", "2017-03-02", "9999-12-31", True, False, False),
        ("2", "45-54", "1900-01-01", "2017-03-03", False, False, False),
        ("2", "45-54", "2017-03-03", "9999-12-31", True, True, False),
        ("3", "19-24", "1900-01-01", "9999-12-31", True, False, False),
    ]
    assert nights["third"].sql(PRODUCTS) == [
        ("10", "GROCERY", "1900-01-01", "2017-03-03", False),
        ("10", "DAIRY", "2017-03-03", "9999-12-31", True),
        ("20", "PASTRY", "1900-01-01", "9999-12-31", True),
    ]
    assert nights["third"].sql(LINES) == [
        ("100", "2017-03-01", "1", "25-34", "GROCERY", "2.0000"),
        ("101", "2017-03-01", "3", "19-24", "PASTRY", "3.0000"),
        ("102", "2017-03-02", "1", "35-44", "GROCERY", "2.5000"),
        ("103", "2017-03-02", "1", "35-44", "PASTRY", "1.2500"),
        ("104", "2017-03-01", "1", "25-34", "GROCERY", "7.0000"),
        ("105", "2017-03-03", "2", "45-54", "PASTRY", "4.0000"),
        ("106", "2017-03-03", "3", "19-24", "DAIRY", "5.0000"),
    ]


def test_a_returning_customer_opens_a_new_version(nights: dict[str, Installation]) -> None:
    assert [row for row in nights["fourth"].sql(CUSTOMERS) if row[0] == "2"] == [
        ("2", "45-54", "1900-01-01", "2017-03-03", False, False, False),
        ("2", "45-54", "2017-03-03", "2017-03-04", False, True, False),
        ("2", "55-64", "2017-03-04", "9999-12-31", True, False, False),
    ]
    assert nights["fourth"].sql(LINES)[-2:] == [
        ("107", "2017-03-04", "2", "55-64", "DAIRY", "1.0000"),
        ("108", "2017-03-04", "1", "35-44", "PASTRY", "6.0000"),
    ]


def test_a_change_learnt_after_the_day_was_loaded_repoints_its_facts(nights: dict[str, Installation]) -> None:
    assert [row for row in nights["fourth again"].sql(CUSTOMERS) if row[0] == "1"] == [
        ("1", "25-34", "1900-01-01", "2017-03-02", False, False, False),
        ("1", "35-44", "2017-03-02", "2017-03-04", False, False, False),
        ("1", "45-54", "2017-03-04", "9999-12-31", True, False, False),
    ]
    assert nights["fourth again"].sql(LINES)[-1] == ("108", "2017-03-04", "1", "45-54", "PASTRY", "6.0000")


def test_the_cube_follows_the_facts_through_all_nights(nights: dict[str, Installation]) -> None:
    assert nights["fourth again"].sql(CUBE) == [
        ("DAIRY", "19-24", "5.0000"),
        ("DAIRY", "55-64", "1.0000"),
        ("GROCERY", "25-34", "9.0000"),
        ("GROCERY", "35-44", "2.5000"),
        ("PASTRY", "19-24", "3.0000"),
        ("PASTRY", "35-44", "1.2500"),
        ("PASTRY", "45-54", "10.0000"),
    ]
    assert nights["fourth again"].sql("select net_sales::varchar from cube.sales_total") == [("31.7500",)]


def test_a_late_line_is_recorded_as_a_restatement_only_across_months(nights: dict[str, Installation]) -> None:
    # the late line of the third night fell into the open month, so no past month changed
    assert nights["fourth again"].sql("select count(*) from ops.restatement") == [(0,)]


def test_a_rebuild_from_landing_equals_the_nights(nights: dict[str, Installation], tmp_path: Path) -> None:
    grown = nights["fourth again"]
    rebuilt = grown.copy(tmp_path / "rebuilt")
    rebuilt.load("2017-03-04", "--rebuild")
    assert_same_tables(grown, rebuilt)
