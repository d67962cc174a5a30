"""`clientele source new | check | list | accept` as someone who brings a system in meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.installation import Installation

ORDERS = """order_no,line,sold_at,cust_id,sku,qty,price
1,1,2024-03-01 09:12:00,C1,P1,2,4.50
2,1,2024-03-01 10:00:00,C2,P1,1,4.50
"""
PEOPLE = "customer_id,email,city\nC1,ada@example.org,London\nC2,max@example.org,Berlin\n"


@pytest.fixture
def shop(tmp_path: Path) -> Installation:
    """An installation without any source, and a folder `delivered` with two files."""
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    (delivered / "orders.csv").write_text(ORDERS)
    (delivered / "customers.csv").write_text(PEOPLE)
    folders = {f"CLIENTELE_{name.upper()}_DIR": str(tmp_path / name) for name in ("sources", "expectations", "dbt")}
    return Installation(tmp_path / "home", delivered, {**folders, "CLIENTELE_SOURCES": "shop"})


def drafted(shop: Installation) -> Installation:
    shop.run("source", "new", "shop", "--from", str(shop.data), check=0)
    return shop


def test_a_draft_tells_what_it_found_and_what_to_decide(shop: Installation) -> None:
    told = shop.run("source", "new", "shop", "--from", str(shop.data), "--json", check=0).json
    assert {feed["feed"]: (feed["rows"], feed["fills"]) for feed in told["feeds"]} == {
        "customers": (2, "customers"),
        "orders": (2, "order_lines"),
    }
    assert told["feeds"][0]["personal_data"] == ["email"]
    assert all(Path(path).is_file() for path in told["files"])


def test_a_draft_passes_its_check_and_names_the_open_decisions(shop: Installation) -> None:
    told = drafted(shop).run("source", "check", "shop", check=0)
    assert "as agreed" in told.out
    assert "to DECIDE in source.yml" in told.out
    assert "to DECIDE in stg_shop__order_lines.sql" in told.out
    rows = shop.run("source", "check", "--json", check=0).json
    assert [(row["feed"], row["ok"]) for row in rows] == [("shop.customers", True), ("shop.orders", True)]


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("expectations/landing/shop/orders.json", "there is no suite file"),
        ("dbt/models/staging/shop/stg_shop__order_lines.sql", "fills order_lines, but there is no staging model"),
    ],
)
def test_a_check_misses_what_a_load_would_miss(shop: Installation, tmp_path: Path, missing: str, told: str) -> None:
    drafted(shop)
    (tmp_path / missing).unlink()
    rows = shop.run("source", "check", "--json", check=1).json
    assert [row["ok"] for row in rows] == [True, False]
    assert told in rows[1]["told"]
    assert "->" in rows[1]["told"], "it says what to do"


def test_a_changed_shape_fails_the_check_until_it_is_accepted(shop: Installation) -> None:
    drafted(shop)
    (shop.data / "customers.csv").write_text(PEOPLE.replace("city", "town"))
    refused = shop.run("source", "check", "--json", check=1).json
    assert "city VARCHAR: missing" in refused[0]["told"]
    accepted = shop.run("source", "accept", "shop.customers", "--json", check=0).json
    assert (accepted["feed"], accepted["schema_version"]) == ("shop.customers", 2)
    assert accepted["changes"] == ["- city VARCHAR: missing", "+ town VARCHAR: new"]
    assert shop.run("source", "check", "--json", check=0).json[0]["schema_version"] == 2


def test_the_list_says_how_each_feed_is_read_and_what_it_fills(shop: Installation) -> None:
    rows = drafted(shop).run("source", "list", "--json", check=0).json
    assert [(row["feed"], row["extract"], row["key"], row["fills"]) for row in rows] == [
        ("shop.customers", "snapshot", "customer_id", "customers"),
        ("shop.orders", "append", "order_no, line", "order_lines"),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["shop", "--from", "nowhere"], 1, "there is no file or folder"),
        (["Shop", "--from", "."], 1, "can't be the name of a source"),
        (["shop", "--from", ".", "--timezone", "Mars/Base"], 1, "is no time zone"),
        (["shop", "--from", ".", "--fills", "orders"], 2, "write FEED=CANONICAL"),
        (["shop"], 2, "Missing option '--from'"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_written(
    shop: Installation, tmp_path: Path, arguments: list[str], code: int, told: str
) -> None:
    done = shop.run("source", "new", *arguments, check=code)
    assert told in done.err
    assert not (tmp_path / "sources").exists()


@pytest.mark.parametrize("command", ["new", "list", "check", "accept"])
def test_help_teaches_with_an_example(shop: Installation, command: str) -> None:
    assert f"clientele source {command} " in shop.run("source", command, "--help", check=0).out
