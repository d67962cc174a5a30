"""Snapshots: only what changed lands, with the day it is effective from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from landing_kit import CUSTOMERS, Rule, Shop

MakeShop = Callable[..., Shop]
COLUMNS = "id, city, _op, cast(_effective_from as varchar)"


def give(here: Shop, *rows: str) -> Path:
    return here.write("customers.csv", "id,city\n" + "".join(f"{row}\n" for row in rows))


def counts(result: Any) -> dict[str, int]:
    assert result.counts.balanced()
    return {name: n for name, n in result.counts.model_dump().items() if n}


def test_a_first_snapshot_reaches_back_to_1900_and_the_same_again_lands_nothing(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    give(here, "1,Rome", "2,Oslo")

    first, again = here.load("customers"), here.load("customers", "2017-03-02")

    assert counts(first) == {"read": 2, "accepted": 2}
    assert here.landed("customers", COLUMNS) == [
        (1, "Rome", "insert", "1900-01-01"),
        (2, "Oslo", "insert", "1900-01-01"),
    ]
    assert counts(again) == {"read": 2, "unchanged": 2}
    assert again.manifest is None


def test_changes_deletes_and_returns_land_effective_on_the_day_they_were_seen(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    give(here, "1,Rome", "2,Oslo", "3,Bonn")
    here.load("customers", "2017-03-01")
    give(here, "1,Paris", "3,Bonn", "4,Kyiv")
    changed = here.load("customers", "2017-03-02")
    give(here, "1,Paris", "2,Oslo", "3,Bonn", "4,Kyiv")
    returned = here.load("customers", "2017-03-03")

    assert counts(changed) == {"read": 3, "accepted": 2, "unchanged": 1, "deleted": 1}
    assert here.landed("customers", COLUMNS, "load02") == [
        (1, "Paris", "update", "2017-03-02"),
        (2, "Oslo", "delete", "2017-03-02"),  # the values last known
        (4, "Kyiv", "insert", "1900-01-01"),  # the first time this key is seen, ever
    ]
    assert here.landed("customers", COLUMNS, "load03") == [(2, "Oslo", "insert", "2017-03-03")]
    assert [batch.current_keys for batch in here.landing.batches("shop.customers")] == [3, 3, 4]
    assert counts(returned) == {"read": 4, "accepted": 1, "unchanged": 3}


def test_null_equals_null_so_an_empty_value_is_no_change(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    give(here, "1,", "2,Oslo")
    here.load("customers")
    give(here, "1,", "2,")

    assert counts(here.load("customers", "2017-03-02")) == {"read": 2, "accepted": 1, "unchanged": 1}


def test_identical_repeats_are_unchanged_and_contradicting_ones_are_set_aside(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    give(here, "1,Rome", "1,Rome", "2,Oslo", "2,Bonn")

    first, again = here.load("customers"), here.load("customers", "2017-03-02")

    assert counts(first) == {"read": 4, "accepted": 2, "unchanged": 1, "quarantined": 1}
    assert here.landed("customers", "id, city") == [(1, "Rome"), (2, "Oslo")]
    assert counts(again) == {"read": 4, "unchanged": 4}


def test_a_row_set_aside_is_no_delete_and_keeps_its_last_good_state(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    bad = Rule("city = '?'")
    give(here, "1,Rome", "2,Oslo")
    here.load("customers", "2017-03-01", bad)
    give(here, "1,?", "2,Oslo")

    aside, again = here.load("customers", "2017-03-02", bad), here.load("customers", "2017-03-03", bad)

    assert counts(aside) == {"read": 2, "unchanged": 1, "quarantined": 1}
    assert counts(again) == {"read": 2, "unchanged": 2}
    assert here.landed("customers", "id, city, _op") == [(1, "Rome", "insert"), (2, "Oslo", "insert")]


def test_losing_more_keys_than_allowed_is_critical_until_accepted(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS | {"max_deleted": 0.05})
    give(here, *(f"{n},Rome" for n in range(100)))
    here.load("customers")
    give(here, *(f"{n},Rome" for n in range(95)))
    assert counts(here.load("customers", "2017-03-02")) == {"read": 95, "unchanged": 95, "deleted": 5}
    give(here, *(f"{n},Rome" for n in range(90)))

    told = here.fail("customers", "2017-03-03")
    assert "lacks 5 of the 95 keys landed, more than the 5% allowed" in told
    assert "clientele load --accept-deletes shop.customers" in told

    accepted = here.load("customers", "2017-03-03", accept_deletes=frozenset({"shop.customers"}))
    assert counts(accepted) == {"read": 90, "unchanged": 90, "deleted": 5}


def test_an_older_load_date_does_not_undo_a_newer_snapshot(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    give(here, "1,Rome")
    here.load("customers", "2017-03-05")
    give(here, "1,Oslo")

    older = here.load("customers", "2017-03-04")

    assert older.manifest is None
    assert "a snapshot of 2017-03-05 landed before" in older.message
    assert here.landed("customers", "city") == [("Rome",)]


def test_changing_twice_on_one_load_date_the_last_landed_is_the_state(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    for city in ("Rome", "Oslo", "Bonn", "Rome"):
        give(here, f"1,{city}")
        here.load("customers", "2017-03-01")

    assert counts(here.load("customers", "2017-03-01")) == {"read": 1, "unchanged": 1}
    landed = here.landed("customers", "_load_id, city, _op")
    assert landed == [
        ("load01", "Rome", "insert"),
        ("load02", "Oslo", "update"),
        ("load03", "Bonn", "update"),
        ("load04", "Rome", "update"),
    ]
