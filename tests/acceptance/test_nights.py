"""Nights on a slice of the real data: repeated, one by one, in one go, rebuilt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.installation import Installation, assert_same_tables
from tests.support.real_data import write_slice

NIGHTS = ("2017-03-02", "2017-03-03", "2017-03-06")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A home loaded to 1 March and then night by night."""
    folder = tmp_path_factory.mktemp("grown")
    home = Installation(folder / "home", write_slice(folder / "home-data"))
    home.load("2017-03-01")
    for night in NIGHTS:
        home.load(night)
    return home


def files(home: Path) -> dict[str, str]:
    """Every file that holds data, with its hash; the ledger and the libraries' own state left out."""
    own = ("landing", "quarantine", "releases", "warehouse.duckdb")
    found = sorted(p for p in home.rglob("*") if p.is_file() and p.relative_to(home).parts[0] in own)
    return {str(p.relative_to(home)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def test_loading_the_same_night_twice_changes_nothing(grown: Installation) -> None:
    before, link = files(grown.home), grown.warehouse.readlink()
    report = grown.load(NIGHTS[-1])
    assert report["status"] == "unchanged"
    assert report["release"] is None
    assert grown.warehouse.readlink() == link
    assert files(grown.home) == before


def test_a_rebuild_from_landing_equals_the_grown_warehouse(grown: Installation, tmp_path: Path) -> None:
    rebuilt = grown.copy(tmp_path / "rebuilt")
    assert rebuilt.load(NIGHTS[-1], "--rebuild")["kind"] == "rebuild"
    assert_same_tables(grown, rebuilt)


def test_days_one_by_one_equal_one_backfill(grown: Installation, install: Callable[[str], Installation]) -> None:
    at_once = install("at_once")
    at_once.load(NIGHTS[-1], "--from", "2017-02-20")
    assert_same_tables(grown, at_once)


def test_every_row_read_is_accounted_for(grown: Installation) -> None:
    unbalanced = """
        select load_id, feed from ops.batch where rows_read <> rows_accepted + rows_unchanged
            + rows_already_landed + rows_quarantined + rows_rejected
    """
    assert grown.sql(unbalanced) == []
    assert grown.sql("select count(*) from ops.reconciliation where difference <> 0") == [(0,)]
    assert grown.sql("select count(distinct load_id) > 3 from ops.reconciliation") == [(True,)]


@pytest.mark.long
def test_a_new_date_without_rows_still_publishes(grown: Installation, tmp_path: Path) -> None:
    quiet = grown.copy(tmp_path / "quiet")
    for name in ("transactions", "coupon_redemptions"):
        column = "transaction_timestamp" if name == "transactions" else "redemption_date"
        quiet.edit(f"{name}.parquet", f"delete from t where {column} >= '2017-03-07 05:00:00'")
    report = quiet.load("2017-03-07")
    assert report["status"] == "published"
    assert sum(feed["accepted"] for feed in report["feeds"]) == 0
    assert_same_tables(grown, quiet)
    assert quiet.sql("select max(load_date)::varchar from ops.load") == [("2017-03-07",)]


@pytest.mark.long
def test_a_line_later_than_the_look_back_is_found_by_the_recount(grown: Installation, tmp_path: Path) -> None:
    home = grown.copy(tmp_path / "late")
    home.edit(
        "transactions.parquet",
        "insert into t select household_id, store_id, 99000000001, product_id, 1, 12.34, 0, 0, 0, week,"
        " timestamp '2017-01-20 15:00:00' from t order by basket_id, product_id limit 1",
    )
    assert home.load(NIGHTS[-1])["status"] == "unchanged"
    found = home.run("landing", "recount", "--json", check=1).json
    assert [(row["feed"], row["month"], row["in_source"] - row["landed"]) for row in found] == [
        ("complete_journey.transactions", "2017-01-01", 1)
    ]
    home.load(NIGHTS[-1], "--lookback", str(found[0]["days_back"]))
    assert home.sql("select net_amount::varchar from star.fct_sales_line where order_id = '99000000001'") == [
        ("12.3400",)
    ]
    # the past month it changed is told, and by how much
    assert home.sql("select month::varchar, measure, change::varchar from ops.restatement order by measure") == [
        ("2017-01-01", "net_amount", "12.3400"),
        ("2017-01-01", "quantity", "1.0000"),
        ("2017-01-01", "rows", "1.0000"),
    ]
    assert home.run("landing", "recount", check=0).code == 0
