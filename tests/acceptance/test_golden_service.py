"""Four nights of a service company, worked out by hand: orders and opportunities on their way, payments, contacts.

In them: an order that moves to another day and customer, a tombstone and a return from it, milestones out of order, a
payment corrected and one voided, a late cost, an employee who changes team, a household that shrinks.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.installation import Installation, assert_same_tables
from tests.support.small_service import SmallService

pytestmark = pytest.mark.long

ORDERS = """
    select order_id, order_date::varchar, customer_id, coalesce(team, '-'), order_status,
        strftime(approved_at, '%d %H'), strftime(shipped_at, '%d %H'), strftime(delivered_at, '%d %H'), is_on_time
    from star.fct_order_fulfilment
    join star.dim_customer using (customer_key) join star.dim_employee using (employee_key)
    join star.dim_order_junk using (order_junk_key) order by order_id
"""
PAYMENTS = """
    select payment_id, customer_id, payment_method, payment_amount::varchar
    from star.fct_payment join star.dim_customer using (customer_key)
    join star.dim_payment_method using (payment_method_key) order by payment_id
"""
OPPORTUNITIES = """
    select opportunity_id, stage, quoted_date_key, days_to_quote, is_won, is_lost, days_to_close
    from star.fct_opportunity order by opportunity_id
"""
HOUSEHOLDS = """
    select customer_id, weight::varchar, b.valid_from::varchar, b.valid_to::varchar
    from star.bridge_household b join star.dim_customer c using (customer_durable_key)
    where c.is_current order by b.valid_from, customer_id
"""


def _first_rows(company: SmallService) -> None:
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
    contact = {"interaction_id": "i1", "customer_id": "c1", "employee_id": "e1", "channel": "chat"}
    contact |= {"queued_at": "2017-03-01 09:00:00", "started_at": "2017-03-01 09:01:30"}
    contact |= {"first_reply_at": "2017-03-01 09:02:00", "ended_at": "2017-03-01 09:10:00"}
    company.set("interactions", "i1", **contact)
    company.opportunity("q1", "lead", "03-01 12")
    company.opportunity("q2", "lead", "03-01 12")
    company.left("c8", "02-27", "03-01 12")  # late, and a customer nobody described


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installation]:
    """The home after each night."""
    folder = tmp_path_factory.mktemp("service")
    company = SmallService(folder)
    home = company.installation(folder)
    after: dict[str, Installation] = {}

    def night(name: str, day: str, *options: str) -> None:
        company.write()
        home.load(day, *options)
        after[name] = home.copy(folder / name)

    _first_rows(company)
    night("first", "2017-03-01")

    company.set("employees", "e1", employee_id="e1", team="South")
    company.set("households", "c1", household_id="h1", customer_id="c1", weight=1)
    del company.rows["households"]["c2"]
    company.order(
        "o1",
        "c1",
        "03-01 09",
        "03-02 08",
        promised_at="2017-03-05 12:00:00",
        status="approved",
        approved_at="2017-03-02 08:00:00",
    )
    company.order("o2", "c9", "02-28 10", "03-02 09", freight=0)  # another day, and a customer nobody described
    company.order("o3", "c1", "03-01 11", "03-02 10", gone=True)
    company.payment("p1", "c1", "card", 110, "03-02 12")
    company.payment("p2", "c2", "cash", 50, "03-02 12", gone=True)
    company.cost("03-02", "post", 10.5)
    company.cost("02-27", "design", 7)  # late
    company.set(
        "interactions",
        "i2",
        interaction_id="i2",
        customer_id="c2",
        employee_id="e2",
        channel="visit",
        started_at="2017-03-02 14:00:00",
    )
    company.opportunity("q1", "quoted", "03-02 12", quoted="2017-03-02")
    company.opportunity("q2", "lost", "03-02 12", lost="2017-03-02")
    company.left("c1", "03-02", "03-02 12", kind="competitive", reason="price")
    night("second", "2017-03-02", "--accept-deletes", "service.households")

    company.set("employees", "e2", employee_id="e2", team="Field")
    # the version that says delivered knows nothing of the approval
    company.order(
        "o1",
        "c1",
        "03-01 09",
        "03-03 20",
        promised_at="2017-03-05 12:00:00",
        status="delivered",
        delivered_at="2017-03-03 19:00:00",
    )
    company.order("o3", "c1", "03-01 11", "03-03 12", status="again")
    company.opportunity("q1", "won", "03-03 12", won="2017-03-03")
    company.opportunity("q2", "talks", "03-03 12")  # opened again
    company.left("c1", "03-02", "03-03 12", kind="fault", reason="late parcels")
    night("third", "2017-03-03")

    # a version between two that landed, for another customer: only what nobody knew yet counts
    company.order(
        "o1",
        "c2",
        "03-01 09",
        "03-02 18",
        status="shipped",
        shipped_at="2017-03-02 17:00:00",
        approved_at="2017-03-02 11:00:00",
    )
    company.left("c8", "02-27", "03-04 12", gone=True)
    night("fourth", "2017-03-04")
    return after


def test_an_order_moves_forward_and_follows_its_newest_version(nights: dict[str, Installation]) -> None:
    assert nights["first"].sql(ORDERS) == [
        ("o1", "2017-03-01", "c1", "North", "new", None, None, None, None),
        ("o2", "2017-03-01", "c2", "North", "new", None, None, None, None),
        ("o3", "2017-03-01", "c1", "North", "approved", "01 12", None, None, None),
    ]
    assert nights["second"].sql(ORDERS) == [
        ("o1", "2017-03-01", "c1", "North", "approved", "02 08", None, None, None),
        ("o2", "2017-02-28", "c9", "North", "new", None, None, None, None),
    ]


def test_a_milestone_once_known_stays_and_a_tombstone_forgets_it(nights: dict[str, Installation]) -> None:
    assert nights["third"].sql(ORDERS) == [
        ("o1", "2017-03-01", "c1", "North", "delivered", "02 08", None, "03 19", True),
        ("o2", "2017-02-28", "c9", "North", "new", None, None, None, None),
        ("o3", "2017-03-01", "c1", "North", "again", None, None, None, None),
    ]


def test_a_version_that_comes_late_fills_what_nobody_knew(nights: dict[str, Installation]) -> None:
    assert nights["fourth"].sql(ORDERS)[0] == (
        "o1", "2017-03-01", "c1", "North", "delivered", "02 08", "02 17", "03 19", True
    )  # fmt: skip
    assert nights["fourth"].sql("""
        select shipped_date_key, promised_date_key, days_to_approve::varchar, days_to_ship::varchar,
            days_to_deliver::varchar, days_in_all::varchar, freight_amount::varchar
        from star.fct_order_fulfilment where order_id = 'o1'
    """) == [(20170302, 20170305, "0.9583", "0.3750", "1.0833", "2.4167", "5.0000")]


def test_payments_are_corrected_and_voided(nights: dict[str, Installation]) -> None:
    assert nights["first"].sql(PAYMENTS) == [("p1", "c1", "card", "100.0000"), ("p2", "c2", "cash", "50.0000")]
    assert nights["fourth"].sql(PAYMENTS) == [("p1", "c1", "card", "110.0000")]


def test_an_opportunity_keeps_its_quotation_and_can_be_opened_again(nights: dict[str, Installation]) -> None:
    assert nights["second"].sql(OPPORTUNITIES) == [
        ("q1", "quoted", 20170302, 1, False, False, None),
        ("q2", "lost", -2, None, False, True, 1),
    ]
    assert nights["fourth"].sql(OPPORTUNITIES) == [
        ("q1", "won", 20170302, 1, True, False, 2),
        ("q2", "talks", -2, None, False, False, None),
    ]


def test_costs_and_contacts_point_to_inferred_members_and_to_the_team_of_the_day(
    nights: dict[str, Installation],
) -> None:
    assert nights["fourth"].sql("""
        select cost_date_key, cost_type, cost_amount::varchar, campaign_id, is_inferred
        from star.fct_campaign_cost f join star.dim_campaign c using (campaign_key, campaign_id) order by 1
    """) == [
        (20170227, "design", "7.0000", "k1", True),
        (20170301, "print", "40.0000", "k1", True),
        (20170302, "post", "10.5000", "k1", True),
    ]
    assert nights["fourth"].sql("""
        select interaction_id, channel_name, team, wait_seconds, reply_seconds, handling_seconds, campaign_key
        from star.fct_interaction join star.dim_channel using (channel_key) join star.dim_employee using (employee_key)
        order by 1
    """) == [("i1", "Chat", "North", 90, 120, 510, -2), ("i2", "Personal visit", "Field", None, None, None, -2)]
    assert nights["fourth"].sql("""
        select employee_id, team, valid_from::varchar, is_inferred from star.dim_employee
        where employee_durable_key > 0 order by 1, 3
    """) == [
        ("e1", "North", "1900-01-01", False),
        ("e1", "South", "2017-03-02", False),
        ("e2", "Field", "1900-01-01", False),
    ]


def test_who_left_follows_the_newest_word_of_the_source(nights: dict[str, Installation]) -> None:
    events = """
        select e.customer_id, churned_date_key, churn_type, reason_id, c.income_band, c.is_inferred
        from star.fct_churn_event e
        join star.dim_customer c using (customer_key) join star.dim_reason using (reason_key)
        order by 1
    """
    assert nights["first"].sql(events) == [("c8", 20170227, None, "(unknown)", None, True)]
    assert nights["second"].sql(events) == [
        ("c1", 20170302, "competitive", "price", "low", False),
        ("c8", 20170227, None, "(unknown)", None, True),
    ]
    assert nights["fourth"].sql(events) == [("c1", 20170302, "fault", "late parcels", "low", False)]


def test_churn_is_a_share_of_the_customers_of_each_segment(nights: dict[str, Installation]) -> None:
    told = """
        select segment_kind, segment, churn_type, customers, churned_customers, round(churn_rate, 4), net_sales_before
        from mart.mart_churn where segment_kind in ('(all)', 'income_band') order by all
    """
    # c1, c2, c9 (met in an order) and c8 (met here)
    assert nights["second"].sql(told) == [
        ("(all)", "(all)", "(all)", 4, 2, 0.5, None),
        ("(all)", "(all)", "(unknown)", 4, 1, 0.25, None),
        ("(all)", "(all)", "competitive", 4, 1, 0.25, None),
        ("income_band", "(unknown)", "(all)", 2, 1, 0.5, None),
        ("income_band", "(unknown)", "(unknown)", 2, 1, 0.5, None),
        ("income_band", "high", "(all)", 1, 0, 0.0, None),
        ("income_band", "low", "(all)", 1, 1, 1.0, None),
        ("income_band", "low", "competitive", 1, 1, 1.0, None),
    ]
    assert nights["fourth"].sql(
        "select customer_kind, churned_date::varchar, churn_type from mart.mart_customer_360"
        " where churned_date is not null"
    ) == [("former", "2017-03-02", "fault")]


def test_a_household_that_shrinks_is_whole_in_every_span(nights: dict[str, Installation]) -> None:
    assert nights["fourth"].sql(HOUSEHOLDS) == [
        ("c1", "0.600000000000", "1900-01-01", "2017-03-02"),
        ("c2", "0.400000000000", "1900-01-01", "2017-03-02"),
        ("c1", "1.000000000000", "2017-03-02", "9999-12-31"),
    ]


def test_every_feed_is_reconciled_with_its_fact(nights: dict[str, Installation]) -> None:
    assert nights["fourth"].sql("""
        select to_table, measure, actual::integer from ops.reconciliation
        where load_id = (select max(load_id) from ops.reconciliation) and from_table like 'feed service.%' order by all
    """) == [
        ("star.dim_customer", "current keys", 2),
        ("star.dim_employee", "current keys", 2),
        ("star.fct_campaign_cost", "amount", 58),
        ("star.fct_campaign_cost", "rows", 3),
        ("star.fct_churn_event", "rows", 1),
        ("star.fct_interaction", "rows", 2),
        ("star.fct_opportunity", "rows", 2),
        ("star.fct_order_fulfilment", "rows", 3),
        ("star.fct_payment", "rows", 1),
    ]


def test_a_rebuild_from_landing_equals_the_nights(nights: dict[str, Installation], tmp_path: Path) -> None:
    grown = nights["fourth"]
    rebuilt = grown.copy(tmp_path / "rebuilt")
    rebuilt.load("2017-03-04", "--rebuild")
    assert_same_tables(grown, rebuilt)
