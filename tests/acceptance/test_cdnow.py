"""CDNOW: every purchase of 23,570 customers, against pandas."""

from __future__ import annotations

import importlib.util
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tests.support.installation import Installation, assert_same_tables

pytestmark = pytest.mark.long


def purchases() -> pd.DataFrame:
    """The file as it stands, all texts; skips the test where the package is absent."""
    found = importlib.util.find_spec("lifetimes")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package lifetimes is not installed")
    file = Path(next(iter(found.submodule_search_locations))) / "datasets" / "CDNOW_master.txt"
    names = ["customer", "day", "cds", "dollars"]
    return pd.read_csv(file, sep=r"\s+", header=None, skiprows=1, names=names, dtype=str)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A load in the middle and one of the rest."""
    purchases()
    folder = tmp_path_factory.mktemp("cdnow")
    home = Installation(folder / "home", folder / "none")
    home.env = {"CLIENTELE_SOURCES": "cdnow", "CLIENTELE_FIRST_DATE": "1997-01-01"}
    home.data.mkdir()
    home.load("1997-03-31")
    home.load("1998-06-30")
    return home


def test_customers_purchases_and_dollars_are_those_of_the_file(nights: Installation) -> None:
    expected = purchases()
    cents = sum(int(dollars.replace(".", "")) for dollars in expected["dollars"])
    found = nights.sql("""
        select count(*), count(distinct order_id), count(distinct customer_durable_key), sum(quantity), sum(net_amount)
        from star.fct_sales_line where customer_durable_key > 0
    """)
    assert found == [(69_659, 69_659, 23_570, expected["cds"].astype(int).sum(), Decimal(cents) / 100)]
    assert len(expected) == 69_659
    assert expected["customer"].nunique() == 23_570


def test_customers_are_known_since_their_first_purchase(nights: Installation) -> None:
    first = purchases().groupby("customer")["day"].min()
    found = dict(
        nights.sql("""
        select customer_id, strftime(first_seen_date, '%Y%m%d') from star.dim_customer where customer_durable_key > 0
    """)
    )
    assert found == first.to_dict()


def test_a_rebuild_gives_the_same_tables(nights: Installation, tmp_path: Path) -> None:
    rebuilt = nights.copy(tmp_path / "rebuilt")
    rebuilt.load("1998-06-30", "--rebuild")
    assert_same_tables(nights, rebuilt)
