"""Append feeds: which rows are new, in the source's own time, and that none is lost or taken twice."""

from collections.abc import Callable
from typing import Any

import pytest
from landing_kit import LINES, Rule, Shop

MakeShop = Callable[..., Shop]
KEYLESS = LINES | {"key": []}
HEADER = "id,sold_at,amount,note\n"


def counts(result: Any) -> dict[str, int]:
    """The counts that are not zero."""
    assert result.counts.balanced()
    return {name: n for name, n in result.counts.model_dump().items() if n}


def test_a_load_takes_what_existed_by_the_end_of_its_day_and_the_next_one_the_rest(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", HEADER + "1,2017-03-01 23:59:59,1,a\n2,2017-03-02 00:00:00,1,b\n")

    first, second = here.load("lines", "2017-03-01"), here.load("lines", "2017-03-02")

    assert counts(first) == {"read": 1, "accepted": 1}
    assert counts(second) == {"read": 2, "accepted": 1, "already_landed": 1}
    assert here.landed("lines", "id", "load02") == [(2,)]


def test_the_same_load_twice_lands_nothing_and_writes_no_batch(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", HEADER + "1,2017-03-01,1,a\n")
    here.load("lines")

    again = here.load("lines")

    assert again.manifest is None
    assert counts(again) == {"read": 1, "already_landed": 1}
    assert len(here.landing.batches("shop.lines")) == 1


def test_a_row_that_comes_late_but_within_the_look_back_lands(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"lookback_days": 3})
    here.write("lines.csv", HEADER + "1,2017-03-05,1,a\n")
    here.load("lines", "2017-03-05")
    here.write("lines.csv", HEADER + "1,2017-03-05,1,a\n2,2017-03-04,1,late\n3,2017-03-02,1,too late\n")

    here.load("lines", "2017-03-06")

    assert here.landed("lines", "id") == [(1,), (2,)]
    here.load("lines", "2017-03-06", lookback_days=30)
    assert here.landed("lines", "id") == [(1,), (2,), (3,)]


def test_a_key_that_comes_again_with_other_values_is_set_aside_and_the_first_stays(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", HEADER + "1,2017-03-01,1,a\n2,2017-03-01,1,b\n")
    here.load("lines")
    here.write("lines.csv", HEADER + "1,2017-03-01,99,a\n2,2017-03-01,1,b\n3,2017-03-02,1,c\n3,2017-03-02,2,c\n")

    result = here.load("lines", "2017-03-02")

    assert counts(result) == {"read": 4, "accepted": 1, "already_landed": 1, "quarantined": 2}
    assert here.landed("lines", "id, amount") == [(1, 1.0), (2, 1.0), (3, 1.0)]
    held = here.quarantine.held("shop.lines")
    assert {(row.rule, row.reason) for row in held} == {
        ("key_conflict", "the key landed before with other values, in load load01"),
        ("key_conflict", "the key occurs in this extract already, with other values"),
    }


def test_an_identical_twin_of_a_keyed_row_is_the_same_row(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", HEADER + "1,2017-03-01,1,a\n" * 3)

    assert counts(here.load("lines")) == {"read": 3, "accepted": 1, "already_landed": 2}


def test_twins_without_a_key_all_land_and_the_look_back_compares_how_often_each_came(shop: MakeShop) -> None:
    here = shop(lines=KEYLESS)
    twin = "1,2017-03-01,1,\n"
    here.write("lines.csv", HEADER + twin * 2)
    first = here.load("lines")
    here.write("lines.csv", HEADER + twin * 3 + "2,2017-03-02,1,b\n")

    second = here.load("lines", "2017-03-02")
    third = here.load("lines", "2017-03-03")

    assert counts(first) == {"read": 2, "accepted": 2}
    assert counts(second) == {"read": 4, "accepted": 2, "already_landed": 2}
    assert counts(third) == {"read": 4, "already_landed": 4}
    assert here.landed("lines", "id") == [(1,), (1,), (1,), (2,)]


def test_rows_without_a_date_a_key_or_a_number_are_set_aside_once_and_not_dropped(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"path": "lines.parquet"})
    here.parquet(
        "lines.parquet",
        "select id::bigint as id, d::timestamp as sold_at, amount::double as amount, note from (values"
        " (1, '2017-03-01', 1.0, 'a'), (2, null, 1.0, 'no date'), (null, '2017-03-01', 1.0, 'no key'),"
        " (4, '2017-03-01', 'nan'::double, 'no number')) t(id, d, amount, note)",
    )

    first, second = here.load("lines"), here.load("lines", "2017-03-02")

    assert counts(first) == {"read": 4, "accepted": 1, "quarantined": 3}
    assert counts(second) == {"read": 4, "already_landed": 4}
    held = {(row.rule, row.reason.split(" ")[0]) for row in here.quarantine.held("shop.lines")}
    assert held == {("no_date", "sold_at"), ("no_key", "key"), ("no_number", "amount")}


@pytest.mark.parametrize(
    ("zone", "kind"), [("UTC", "TIMESTAMP"), (None, "TIMESTAMP WITH TIME ZONE"), ("UTC", "TIMESTAMP WITH TIME ZONE")]
)
def test_days_begin_at_midnight_of_the_source_also_when_the_clocks_change(
    shop: MakeShop, zone: str | None, kind: str
) -> None:
    """New York: UTC-5 until 12 March 2017, 2 o'clock; UTC-4 until 5 November, 2 o'clock."""
    feed = LINES | {"path": "lines.parquet", "lookback_days": 0} | ({"cursor_zone": zone} if zone else {})
    here = shop(lines=feed | {"columns": LINES["columns"] | {"sold_at": kind}})
    moments = [
        "2017-03-12 04:59:59",  # 11 March, 23:59:59
        "2017-03-12 05:00:00",  # 12 March, 00:00
        "2017-03-13 03:59:59",  # 12 March, 23:59:59: a day of 23 hours
        "2017-03-13 04:00:00",  # 13 March
        "2017-11-05 03:59:59",  # 4 November
        "2017-11-05 04:00:00",  # 5 November
        "2017-11-06 04:59:59",  # 5 November, 23:59:59: a day of 25 hours
        "2017-11-06 05:00:00",  # 6 November
    ]
    rows = ", ".join(f"({n}, '{moment}+00'::timestamptz::{kind})" for n, moment in enumerate(moments))
    here.parquet(
        "lines.parquet",
        f"select n::bigint as id, at_ as sold_at, 1.0::double as amount, '' as note from (values {rows}) t(n, at_)",
    )
    for day in ("2017-03-11", "2017-03-12", "2017-11-04", "2017-11-05", "2017-11-06"):
        here.load("lines", day)

    assert here.landed("lines", "id, cast(_business_date as varchar), _load_id") == [
        (0, "2017-03-11", "load01"),
        (1, "2017-03-12", "load02"),
        (2, "2017-03-12", "load02"),
        (3, "2017-03-13", "load03"),
        (4, "2017-11-04", "load03"),
        (5, "2017-11-05", "load04"),
        (6, "2017-11-05", "load04"),
        (7, "2017-11-06", "load05"),
    ]


def test_a_local_date_as_cursor_is_not_shifted_by_a_zone(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"columns": LINES["columns"] | {"sold_at": "DATE"}})
    here.write("lines.csv", HEADER + "1,2017-03-12,1,a\n2,2017-03-13,1,b\n")

    here.load("lines", "2017-03-12")

    assert here.landed("lines", "id, cast(_business_date as varchar)") == [(1, "2017-03-12")]


def test_an_expression_may_be_the_cursor_also_with_a_percent_sign(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"cursor": "date '2017-02-28' + cast(id % 10 as integer)"})
    here.write("lines.csv", HEADER + "11,,1,a\n12,,1,b\n")

    here.load("lines", "2017-03-01")

    assert here.landed("lines", "id, cast(_business_date as varchar)") == [(11, "2017-03-01")]


def test_rows_may_take_their_date_from_another_feed_and_wait_for_it(shop: MakeShop) -> None:
    sent = {
        "path": "sent.csv",
        "class": "promotional",
        "canonical": "campaign_contacts",
        "extract": "append",
        "key": ["campaign", "customer"],
        "dated_by": {"feed": "campaigns", "key": "campaign", "column": "start"},
        "columns": {"campaign": "BIGINT", "customer": "BIGINT"},
    }
    campaigns = {
        "path": "campaigns.csv",
        "class": "promotional",
        "canonical": "campaigns",
        "extract": "snapshot",
        "key": ["campaign"],
        "columns": {"campaign": "BIGINT", "start": "DATE"},
    }
    here = shop(sent=sent, campaigns=campaigns)
    here.write("campaigns.csv", "campaign,start\n1,2017-03-01\n2,2017-03-02\nx,2017-03-01\n")
    here.write("sent.csv", "campaign,customer\n1,7\n2,7\n3,7\n")

    first, second = here.load("sent", "2017-03-01"), here.load("sent", "2017-03-02")

    # campaign 3 is unknown: its row is set aside; the bad line of the other feed is no reject of this one
    assert counts(first) == {"read": 2, "accepted": 1, "quarantined": 1}
    assert counts(second) == {"read": 3, "accepted": 1, "already_landed": 2}
    assert here.landed("sent", "campaign, cast(_business_date as varchar)") == [(1, "2017-03-01"), (2, "2017-03-02")]

    (here.data / "campaigns.csv").unlink()
    told = here.fail("sent", "2017-03-03")
    assert "its dates come from shop.campaigns: no file campaigns.csv" in told


def test_control_totals_are_exact_to_the_cent_per_month(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    rows = "".join(f"{n},2017-0{1 + n % 2}-15,0.1,x\n" for n in range(3000))
    here.write("lines.csv", HEADER + rows)

    manifest = here.load("lines").manifest

    assert manifest
    assert manifest.months == {
        "2017-01-01": {"rows": "1500", "amount": "150.0000"},
        "2017-02-01": {"rows": "1500", "amount": "150.0000"},
    }
    assert (str(manifest.business_min), str(manifest.business_max)) == ("2017-01-15", "2017-02-15")


def test_a_failed_critical_check_lands_nothing_and_the_next_load_brings_all(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", HEADER + "1,2017-03-01,1,a\n2,2017-03-01,-1,b\n")

    told = here.fail("lines", gate=Rule("amount < 0", critical=True))
    assert "failed a critical check and was not landed: 1 rows are bad" in told
    assert here.landing.batches("shop.lines") == []

    here.write("lines.csv", HEADER + "1,2017-03-01,1,a\n2,2017-03-01,1,b\n")
    assert counts(here.load("lines", "2017-03-20")) == {"read": 2, "accepted": 2}
