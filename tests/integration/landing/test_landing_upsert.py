"""Upsert feeds: every version lands once, in whatever order it comes, and the batch says what it changes."""

from collections.abc import Callable
from typing import Any

import pytest
from landing_kit import LINES, Rule, Shop

MakeShop = Callable[..., Shop]
ORDERS: dict[str, Any] = LINES | {
    "extract": "upsert",
    "updated_at": "changed_at",
    "overlap_minutes": 60,
    "deleted_when": "status = 'deleted'",
    "columns": {
        "id": "BIGINT",
        "sold_at": "TIMESTAMP",
        "amount": "DOUBLE",
        "status": "VARCHAR",
        "changed_at": "TIMESTAMP",
    },
}
HEADER = "id,sold_at,amount,status,changed_at\n"
OF_ROW = "id, amount, _op, _superseded"
NEGATIVE = Rule("amount < 0")


def row(number: int, changed: str, amount: float = 1, sold: str = "2017-03-01", status: str = "open") -> str:
    return f"{number},{sold},{amount},{status},{changed}\n"


def counts(result: Any) -> dict[str, int]:
    assert result.counts.balanced()
    return {name: n for name, n in result.counts.model_dump().items() if n}


@pytest.fixture
def here(shop: MakeShop) -> Shop:
    return shop(lines=ORDERS)


def deliver(here: Shop, *rows: str) -> None:
    here.write("lines.csv", HEADER + "".join(rows))


def state(here: Shop) -> dict[str, dict[str, float]]:
    """Months with rows or money, as the sum over all batches."""
    found: dict[str, dict[str, float]] = {}
    for batch in here.landing.batches("shop.lines"):
        for month, totals in batch.months.items():
            for measure, value in totals.items():
                found.setdefault(month, {}).setdefault(measure, 0.0)
                found[month][measure] += float(value)
    return {month: totals for month, totals in found.items() if any(totals.values())}


def test_each_version_lands_once_and_the_window_leaves_out_what_is_older_than_the_overlap(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01 08:00"), row(2, "2017-03-01 12:00"), row(3, "2017-03-02 09:00"))
    first = here.load("lines", "2017-03-01")
    deliver(here, row(1, "2017-03-01 08:00"), row(2, "2017-03-01 12:00"), row(3, "2017-03-02 09:00", 3))
    second = here.load("lines", "2017-03-02")

    assert counts(first) == {"read": 2, "accepted": 2}
    assert counts(second) == {"read": 2, "accepted": 1, "already_landed": 1}
    assert counts(here.load("lines", "2017-03-02")) == {"read": 1, "already_landed": 1}
    assert here.landed("lines", OF_ROW) == [(i, a, "upsert", False) for i, a in ((1, 1.0), (2, 1.0), (3, 3.0))]
    assert [m.current_keys for m in here.landing.batches("shop.lines")] == [2, 3]


def test_a_new_version_takes_the_old_one_out_of_its_month(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01", 5), row(2, "2017-03-01", 2))
    here.load("lines", "2017-03-01")
    deliver(here, row(1, "2017-03-02", 7, "2017-02-27"), row(2, "2017-03-01", 2))

    moved = here.load("lines", "2017-03-02").manifest

    assert moved is not None
    assert moved.months == {
        "2017-02-01": {"rows": "1", "amount": "7.0000"},
        "2017-03-01": {"rows": "-1", "amount": "-5.0000"},
    }
    assert (str(moved.business_min), str(moved.business_max)) == ("2017-02-27", "2017-03-01")
    assert moved.current_keys == 2


def test_a_version_out_of_order_lands_as_superseded_and_changes_nothing(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01 10:00", 5))
    here.load("lines", "2017-03-01")
    deliver(here, row(1, "2017-03-01 09:30", 4), row(2, "2017-03-02 11:00", 8), row(2, "2017-03-02 10:00", 9))

    second = here.load("lines", "2017-03-02")

    assert counts(second) == {"read": 3, "accepted": 3}
    assert here.landed("lines", "id, amount, _superseded", "load02") == [
        (1, 4.0, True),
        (2, 8.0, False),
        (2, 9.0, True),
    ]
    assert state(here) == {"2017-03-01": {"rows": 2, "amount": 13}}


def test_of_two_versions_with_one_time_the_later_landed_counts(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01", 5))
    here.load("lines", "2017-03-01")
    deliver(here, row(1, "2017-03-01", 6), row(1, "2017-03-01", 7))

    here.load("lines", "2017-03-01")

    assert here.landed("lines", "amount, _superseded", "load02") == [(6.0, True), (7.0, False)]
    assert state(here) == {"2017-03-01": {"rows": 1, "amount": 7}}


def test_a_tombstone_takes_the_row_out_and_a_newer_version_brings_it_back(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01", 5), row(2, "2017-03-01", 2))
    here.load("lines", "2017-03-01")
    deliver(here, "1,,,deleted,2017-03-02\n")
    gone = here.load("lines", "2017-03-02")
    after = state(here)
    deliver(here, row(1, "2017-03-03", 6))
    here.load("lines", "2017-03-03")

    assert counts(gone) == {"read": 1, "accepted": 1, "tombstones": 1}
    assert after == {"2017-03-01": {"rows": 1, "amount": 2}}
    assert state(here) == {"2017-03-01": {"rows": 2, "amount": 8}}
    assert [m.current_keys for m in here.landing.batches("shop.lines")] == [2, 1, 2]


def test_a_change_takes_effect_on_its_local_day_unless_the_source_says_when(shop: MakeShop) -> None:
    prices = ORDERS | {"cursor": None, "deleted_when": None, "cursor_zone": "UTC", "control_totals": {}}
    here = shop(lines=prices, dated=prices | {"effective": "sold_at"})
    # 03:00 in UTC is still the evening before in New York
    deliver(here, row(1, "2017-03-02 03:00", sold="2017-02-10"))
    for feed in ("lines", "dated"):
        here.load(feed, "2017-03-02")

    assert here.landed("lines", "_effective_from::varchar, _business_date::varchar") == [("2017-03-01", "2017-03-01")]
    assert here.landed("dated", "_effective_from::varchar, _updated_at::varchar") == [
        ("2017-02-10", "2017-03-02 03:00:00")
    ]


def test_rows_without_key_or_version_are_set_aside_and_twins_are_one(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01"), row(1, "2017-03-01"), row(2, ""), ",2017-03-01,1,open,2017-03-01\n")

    assert counts(here.load("lines")) == {"read": 4, "accepted": 1, "already_landed": 1, "quarantined": 2}
    assert {held.rule for held in here.quarantine.held("shop.lines")} == {"no_version", "no_key"}
    assert counts(here.load("lines")) == {"read": 4, "already_landed": 4}


def test_a_version_set_aside_does_not_hide_the_one_before(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01", 5), row(1, "2017-03-01 12:00", -5))
    here.load("lines", "2017-03-01", NEGATIVE)

    assert here.landed("lines", "amount, _superseded") == [(5.0, False)]


def test_a_corrected_version_supersedes_the_one_set_aside_but_an_older_one_does_not(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01 12:00", -5))
    here.load("lines", "2017-03-01", NEGATIVE)
    deliver(here, row(1, "2017-03-01 11:30", 4))
    here.load("lines", "2017-03-02", NEGATIVE)
    after_older = here.set_aside("lines")
    deliver(here, row(1, "2017-03-02", 6))
    here.load("lines", "2017-03-02", NEGATIVE)

    assert [status for *_, status in after_older] == ["open"]
    assert [status for *_, status in here.set_aside("lines")] == ["superseded"]


@pytest.mark.parametrize("newer", ["2017-03-01 12:00", "2017-03-02 12:00"])
def test_a_replayed_version_keeps_its_order_and_never_beats_a_newer_one(here: Shop, newer: str) -> None:
    deliver(here, row(1, "2017-03-01 12:00", -5))
    here.load("lines", "2017-03-01", NEGATIVE)
    held = here.quarantine.held("shop.lines")
    here.quarantine.request("shop.lines", "replay", held, force=True)
    deliver(here, row(1, newer, 6))

    replayed = here.load("lines", "2017-03-02", NEGATIVE)

    assert counts(replayed) == {"read": 2, "accepted": 2, "replayed": 1}
    assert here.landed("lines", "amount, _superseded") == [(-5.0, True), (6.0, False)]
    assert state(here) == {"2017-03-01": {"rows": 1, "amount": 6}}
    assert [status for *_, status in here.set_aside("lines")] == ["replayed"]


def test_a_replayed_version_that_is_the_newest_counts(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01", 5), row(1, "2017-03-01 12:00", -5))
    here.load("lines", "2017-03-01", NEGATIVE)
    here.quarantine.request("shop.lines", "replay", here.quarantine.held("shop.lines"), force=True)

    here.load("lines", "2017-03-02", NEGATIVE)

    assert here.landed("lines", "amount, _superseded", "load02") == [(-5.0, False)]
    assert state(here) == {"2017-03-01": {"rows": 1, "amount": -5}}


def test_after_a_load_is_skipped_the_batches_add_up_to_the_state_without_it(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01", 5), row(2, "2017-03-01", 2))
    here.load("lines", "2017-03-01")
    deliver(here, row(1, "2017-03-02", 99), row(3, "2017-03-02", 99))
    here.load("lines", "2017-03-02")
    deliver(here, row(1, "2017-03-03", 6))
    here.load("lines", "2017-03-03")
    here.without = {"load02": "load04"}

    here.load("lines", "2017-03-03")
    here.load("lines", "2017-03-03")

    assert state(here) == {"2017-03-01": {"rows": 2, "amount": 8}}
    assert [m.current_keys for m in here.landing.batches("shop.lines")] == [2, 3, 2]


def test_versions_of_an_earlier_shape_are_known_by_what_both_have(here: Shop) -> None:
    deliver(here, row(1, "2017-03-01", 5))
    here.load("lines", "2017-03-01")
    here.write("lines.csv", "id,sold_at,amount,status,changed_at,note\n1,2017-03-01,5,open,2017-03-01,x\n")

    assert counts(here.load("lines", "2017-03-02")) == {"read": 1, "already_landed": 1}
    here.write("lines.csv", "id,sold_at,amount,status,changed_at,note\n1,2017-03-01,7,open,2017-03-02,x\n")
    here.load("lines", "2017-03-02")
    assert state(here) == {"2017-03-01": {"rows": 1, "amount": 7}}
