"""Parity on real and changing data: three systems and orders that change, a first load and nights after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import Installation
from tests.support.online_retail import Shop, days
from tests.support.real_data import published_data
from tests.support.small_service import SmallService
from tests.support.spark import environment, needs_spark

pytestmark = [needs_spark, pytest.mark.long]


def both(home: Installation, night: str | None, *options: str) -> None:
    """Load on both engines and compare."""
    home.env |= environment()
    home.load(night, *options)
    date = ["--date", night] if night else []
    done = home.run("load", *date, "--target", "spark", *options, "--json", timeout=1800)
    assert done.code == 0, done.text
    compared = home.run("parity", "--json", timeout=600)
    assert compared.code == 0, [item for item in compared.json if not item["agrees"]]
    assert sum(item["spark_rows"] for item in compared.json) > 15_000


def test_complete_journey_over_four_nights(install: Callable[[str], Installation]) -> None:
    home = install("journey")
    for night in ("2017-02-26", "2017-02-27", "2017-02-28"):
        both(home, night)
    home.edit("demographics.parquet", "update t set income = '250K+' where household_id % 3 = 0")
    home.edit("products.parquet", "update t set department = 'MOVED' where product_id % 50 = 0")
    home.edit(
        "transactions.parquet",
        "update t set sales_value = sales_value + 1 where transaction_timestamp between '2017-03-01' and '2017-03-02'",
    )
    both(home, "2017-03-01")


def test_online_retail_over_four_nights(tmp_path: Path) -> None:
    shop = Shop.at(tmp_path)
    for day in days()[:4]:
        shop.arrive(day)
        both(shop, day.isoformat())


def test_two_systems_of_one_company(tmp_path: Path) -> None:
    files = published_data("ADVENTUREWORKS_DIR", "adventureworks_dw", "adventureworks_oltp")
    env = {"CLIENTELE_SOURCES": "adventureworks", "ADVENTUREWORKS_DIR": str(files)}
    both(Installation(tmp_path / "home", tmp_path, env), None)


@pytest.fixture
def company(tmp_path: Path) -> SmallService:
    company = SmallService(tmp_path)
    for number, band in (("c1", "low"), ("c2", "high")):
        company.set("customers", number, customer_id=number, income_band=band)
    company.set("employees", "e1", employee_id="e1", team="North")
    company.set("households", "c1", household_id="h1", customer_id="c1", weight=0.6)
    company.set("households", "c2", household_id="h1", customer_id="c2", weight=0.4)
    company.order("o1", "c1", "03-01 09", "03-01 09", promised_at="2017-03-05 12:00:00")
    company.order("o2", "c2", "03-01 10", "03-01 10", freight=0)
    company.order("o3", "c1", "03-01 11", "03-01 13", approved_at="2017-03-01 12:00:00", status="approved")
    company.payment("p1", "c1", " Card", 100, "03-01 12")
    company.payment("p2", "c2", "cash", 50, "03-01 12")
    company.cost("03-01", "print", 40)
    company.opportunity("q1", "lead", "03-01 12")
    company.set(
        "interactions", "i1", interaction_id="i1", customer_id="c1", channel="chat", started_at="2017-03-01 09:00:00"
    )
    company.left("c8", "02-25", "03-01 12", kind="natural")
    return company


def test_orders_and_payments_that_change(company: SmallService, tmp_path: Path) -> None:
    home = company.installation(tmp_path)

    def night(day: str, *options: str) -> None:
        company.write()
        both(home, day, *options)

    night("2017-03-01")

    company.set("employees", "e1", employee_id="e1", team="South")
    company.set("households", "c1", household_id="h1", customer_id="c1", weight=1)
    del company.rows["households"]["c2"]
    approved: dict[str, Any] = {"status": "approved", "approved_at": "2017-03-02 08:00:00"}
    company.order("o1", "c1", "03-01 09", "03-02 08", promised_at="2017-03-05 12:00:00", **approved)
    company.order("o2", "c9", "02-28 10", "03-02 09", freight=0)  # another month, and a customer nobody described
    company.order("o3", "c1", "03-01 11", "03-02 10", gone=True)
    company.payment("p1", "c1", "card", 110, "03-02 12")
    company.payment("p2", "c2", "cash", 50, "03-02 12", gone=True)
    company.cost("02-27", "design", 7)  # late
    company.opportunity("q1", "quoted", "03-02 12", quoted="2017-03-02")
    night("2017-03-02", "--accept-deletes", "service.households")

    delivered: dict[str, Any] = {"status": "delivered", "delivered_at": "2017-03-03 19:00:00"}
    company.order("o1", "c1", "03-01 09", "03-03 20", promised_at="2017-03-05 12:00:00", **delivered)
    company.order("o3", "c1", "03-01 11", "03-03 12", status="again")
    company.set("customers", "c9", customer_id="c9", income_band="middle")
    night("2017-03-03")

    # a version between two that landed: only what nobody knew yet counts
    company.order("o1", "c2", "03-01 09", "03-02 20", status="shipped", shipped_at="2017-03-02 18:00:00")
    night("2017-03-04")
