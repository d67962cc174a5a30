"""Rows set aside: kept as they came, counted once, and brought back when asked."""

from collections.abc import Callable, Iterable

import pytest
from landing_kit import CUSTOMERS, LINES, Rule, Shop

from dagster_project.errors import ClienteleError
from dagster_project.landing.quarantine import Held

MakeShop = Callable[..., Shop]
HEADER = "id,sold_at,amount,note\n"
NEGATIVE = Rule("amount < 0")
BAD = "1,2017-03-01,-1,bad\n"
GOOD = "2,2017-03-01,1,good\n"
ID = "shop.lines"


@pytest.fixture
def here(shop: MakeShop) -> Shop:
    """One row landed and one set aside, both still within the look-back of the source."""
    made = shop(lines=LINES)
    made.write("lines.csv", HEADER + BAD + GOOD)
    made.load("lines", "2017-03-01", NEGATIVE)
    return made


def statuses(here: Shop, feed: str = "lines") -> list[str]:
    return [status for *_, status in here.set_aside(feed)]


def balance(here: Shop, feed: str = ID) -> dict[str, int]:
    found = {name: n for name, n in here.quarantine.balance()[feed].items() if n}
    assert sum(found.values()) == len(here.quarantine.held(feed))
    return found


def ask(here: Shop, action: str, held: Iterable[Held] | None = None, feed: str = ID, *, force: bool = False) -> int:
    return here.quarantine.request(feed, action, held or here.quarantine.held(feed), force=force)


def test_a_row_set_aside_is_kept_as_it_came_with_rule_and_reason(here: Shop) -> None:
    held = here.quarantine.held(ID)
    shown = here.quarantine.show(ID, held, 10)

    assert [(row.load_id, row.rule, row.reason, row.status.value) for row in held] == [
        ("load01", "bad_row", "it is bad", "open")
    ]
    assert [(row["id"], row["amount"], row["note"], row["_status"]) for row in shown] == [(1, -1.0, "bad", "open")]
    assert here.landed("lines", "id") == [(2,)]


def test_read_again_it_counts_as_known_and_is_not_set_aside_twice(here: Shop) -> None:
    again = here.load("lines", "2017-03-02", NEGATIVE)

    assert (again.counts.read, again.counts.already_landed, again.counts.quarantined) == (2, 2, 0)
    assert balance(here) == {"open": 1}


@pytest.mark.parametrize("in_source", [True, False])
def test_a_replayed_row_that_is_good_now_lands_exactly_once(here: Shop, in_source: bool) -> None:
    if not in_source:
        here.write("lines.csv", HEADER + GOOD)
    ask(here, "replay")

    replayed = here.load("lines", "2017-03-02")
    again = here.load("lines", "2017-03-03")

    assert (replayed.counts.accepted, replayed.counts.replayed) == (1, 1)
    assert again.counts.accepted == 0
    assert here.landed("lines", "id, amount") == [(1, -1.0), (2, 1.0)]
    assert balance(here) == {"replayed": 1}


def test_a_replayed_row_that_is_still_bad_is_set_aside_again(here: Shop) -> None:
    ask(here, "replay")

    here.load("lines", "2017-03-02", NEGATIVE)

    assert sorted(statuses(here)) == ["open", "replayed"]
    assert here.landed("lines", "id") == [(2,)]


@pytest.mark.parametrize("in_source", [True, False])
def test_force_lands_a_row_whatever_rule_it_breaks(here: Shop, in_source: bool) -> None:
    if not in_source:
        here.write("lines.csv", HEADER + GOOD)
    ask(here, "replay", force=True)

    here.load("lines", "2017-03-02", NEGATIVE)
    here.load("lines", "2017-03-03", NEGATIVE)

    assert here.landed("lines", "id, amount") == [(1, -1.0), (2, 1.0)]
    assert balance(here) == {"replayed": 1}


@pytest.mark.parametrize("in_source", [True, False])
def test_twins_without_a_key_are_replayed_as_often_as_they_came(shop: MakeShop, in_source: bool) -> None:
    here = shop(lines=LINES | {"key": []})
    here.write("lines.csv", HEADER + BAD + BAD)
    here.load("lines", "2017-03-01", NEGATIVE)

    if not in_source:
        here.write("lines.csv", HEADER)
    ask(here, "replay", here.quarantine.held(ID)[:1], force=True)
    here.load("lines", "2017-03-02", NEGATIVE)
    one = here.landed("lines", "id")
    ask(here, "replay", force=True)
    here.load("lines", "2017-03-03", NEGATIVE)
    here.load("lines", "2017-03-04", NEGATIVE)

    assert one == [(1,)]
    assert here.landed("lines", "id") == [(1,), (1,)]
    assert balance(here) == {"replayed": 2}


def test_twins_set_aside_under_two_shapes_are_each_recognised_once(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"key": []})
    here.write("lines.csv", HEADER + BAD)
    here.load("lines", "2017-03-01", NEGATIVE)
    here.write("lines.csv", "id,sold_at,amount,note,till\n" + "1,2017-03-01,-1,bad,4\n" * 2)

    second = here.load("lines", "2017-03-02", NEGATIVE).counts
    third = here.load("lines", "2017-03-03", NEGATIVE).counts

    assert (second.already_landed, second.quarantined) == (1, 1)
    assert (third.already_landed, third.quarantined) == (2, 0)


def test_a_discarded_row_is_closed_stays_readable_and_does_not_come_back(here: Shop) -> None:
    ask(here, "discard")

    again = here.load("lines", "2017-03-02")

    assert again.counts.already_landed == 2
    assert balance(here) == {"discarded": 1}
    assert len(here.quarantine.show(ID, here.quarantine.held(ID), 10)) == 1
    with pytest.raises(ClienteleError, match="no such row is open"):
        ask(here, "replay")


def test_a_replay_asked_for_can_be_taken_back_by_a_discard(here: Shop) -> None:
    ask(here, "replay")
    ask(here, "discard")

    assert here.load("lines", "2017-03-02").counts.accepted == 0
    assert balance(here) == {"discarded": 1}


def test_a_corrected_row_takes_the_place_of_its_predecessor(here: Shop) -> None:
    here.write("lines.csv", HEADER + "1,2017-03-01,1,corrected\n" + GOOD)

    here.load("lines", "2017-03-02", NEGATIVE)

    assert here.landed("lines", "id, amount") == [(1, 1.0), (2, 1.0)]
    assert balance(here) == {"superseded": 1}


def test_a_replayed_row_never_beats_the_one_that_landed_since(here: Shop) -> None:
    here.write("lines.csv", HEADER + GOOD)
    ask(here, "replay")
    here.write("lines.csv", HEADER + "1,2017-03-01,5,newer\n" + GOOD)
    here.load("lines", "2017-03-02")

    assert here.landed("lines", "id, note") == [(1, "newer"), (2, "good")]
    assert sorted(statuses(here)) == ["open", "replayed"]


def test_a_forced_row_of_a_snapshot_lands_and_stays(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    unknown = Rule("city = '?'")
    here.write("customers.csv", "id,city\n1,?\n2,Oslo\n")
    here.load("customers", "2017-03-01", unknown)
    ask(here, "replay", feed="shop.customers", force=True)

    here.load("customers", "2017-03-02", unknown)
    again = here.load("customers", "2017-03-03", unknown)

    assert here.landed("customers", "id, city, _op") == [(1, "?", "insert"), (2, "Oslo", "insert")]
    assert again.counts.unchanged == 2
    assert balance(here, "shop.customers") == {"replayed": 1}


def test_a_snapshot_row_asked_for_but_gone_from_the_source_is_superseded(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    unknown = Rule("city = '?'")
    here.write("customers.csv", "id,city\n1,?\n2,Oslo\n")
    here.load("customers", "2017-03-01", unknown)
    ask(here, "replay", feed="shop.customers")
    here.write("customers.csv", "id,city\n2,Oslo\n")

    here.load("customers", "2017-03-02", unknown)

    assert here.landed("customers", "id") == [(2,)]
    assert balance(here, "shop.customers") == {"superseded": 1}


def test_rows_set_aside_before_a_column_was_added_are_still_recognised(here: Shop) -> None:
    here.write("lines.csv", "id,sold_at,amount,note,till\n1,2017-03-01,-1,bad,4\n2,2017-03-01,1,good,4\n")

    again = here.load("lines", "2017-03-02", NEGATIVE)

    assert (again.counts.already_landed, again.counts.quarantined) == (2, 0)
    ask(here, "replay", force=True)
    here.load("lines", "2017-03-03", NEGATIVE)
    assert here.landed("lines", "id") == [(1,), (2,)]


def test_what_a_full_disk_tore_off_the_list_of_requests_spoils_no_later_one(here: Shop) -> None:
    events = here.root / "quarantine" / "shop" / "lines" / "events.jsonl"
    events.write_text('{"action": "replay", "load_id": "loa')

    ask(here, "discard")

    assert balance(here) == {"discarded": 1}
