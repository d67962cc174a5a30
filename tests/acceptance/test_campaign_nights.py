"""Campaigns over nights: what a load touches is measured anew, what it does not stays, and a rebuild says the same.

Three campaigns of a mailing house: spring comes with its outcomes, summer has a holdout and is measured by orders,
autumn has no holdout. In the nights: a campaign that runs, late contacts, a late order, a late cost.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.support.installation import Installation, assert_same_tables
from tests.support.small_mailing import SmallMailing, draw_mailing

pytestmark = pytest.mark.long

DAYS = pd.date_range("2024-02-01", "2024-05-20")
SEEN = "lead of nobody"


def drawn(folder: Path) -> SmallMailing:
    mailing = draw_mailing(folder, 400, seed=5)
    random = np.random.default_rng(6)
    spring = mailing.people
    summer = spring.assign(campaign_id="summer", day="2024-03-20", visit=None, conversion=None, spend=None)
    autumn = summer[summer.index % 3 == 0].assign(campaign_id="autumn", day="2024-05-01", mailing="mens")
    mailing.people = pd.concat([spring, summer, autumn], ignore_index=True)
    mailing.campaigns = pd.DataFrame(
        {
            "campaign_id": ["spring", "summer", "autumn"],
            "starts": ["2024-03-01", "2024-03-20", "2024-05-01"],
            "ends": ["2024-03-14", "2024-04-10", "2024-05-14"],
        }
    )
    mailing.costs = pd.DataFrame(
        {"campaign_id": ["spring", "summer"], "day": ["2024-03-01", "2024-03-20"], "kind": "post", "amount": [80, 50]}
    )
    number = 3000
    net = np.round(random.lognormal(3, 1, number), 2)
    mailing.orders = pd.DataFrame(
        {
            "order_no": [f"o{n}" for n in range(number)],
            "customer_id": [f"c{n}" for n in random.integers(0, 420, number)],
            "day": random.choice(DAYS, number).astype("datetime64[D]").astype(str),
            "sku": "tea",
            "quantity": 1,
            "net": net,
            "cost": np.round(net * random.uniform(0.4, 0.8, number), 2),
        }
    )
    return mailing


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallMailing, dict[str, Installation]]:
    """What the mailing house knows in the end, and the home after each night."""
    folder = tmp_path_factory.mktemp("campaign_nights")
    house = drawn(folder)
    home = house.installation(folder)
    after: dict[str, Installation] = {}
    late_contact = house.people.index[house.people["campaign_id"] == "summer"][:2]
    held_back = house.people.loc[late_contact]
    house.people = house.people.drop(late_contact)
    late_order = house.orders.index[house.orders["day"].between("2024-03-25", "2024-04-05")][0]
    order = house.orders.loc[[late_order]]
    house.orders = house.orders.drop(late_order)

    def night(name: str, day: str, *options: str) -> None:
        house.write()
        home.load(day, *options)
        after[name] = home.copy(folder / name)

    night("summer runs", "2024-03-30")
    night("summer is over", "2024-04-20")
    night("autumn runs", "2024-05-07")
    tampered = home.warehouse.resolve()
    with duckdb.connect(str(tampered)) as con:
        con.execute(f"update mart.mart_campaign set objective = '{SEEN}'")
    house.people = pd.concat([house.people, held_back], ignore_index=True)
    night("contacts came late", "2024-05-08", "--lookback", "90")
    house.orders = pd.concat([house.orders, order], ignore_index=True)
    house.costs.loc[len(house.costs)] = ["autumn", "2024-05-01", "post", 40]
    night("an order and a cost came late", "2024-05-20", "--lookback", "90")
    return house, after


def measured(home: Installation) -> dict[str, list[object]]:
    rows = home.sql(
        "select campaign_id, measured_until::varchar, is_complete, method, people_contacted, people_held_out,"
        " cost::double from mart.mart_campaign"
    )
    return {str(name): rest for name, *rest in map(tuple, rows)}


def test_a_running_campaign_is_measured_up_to_the_newest_order(
    nights: tuple[SmallMailing, dict[str, Installation]],
) -> None:
    _, after = nights
    summer = {name: measured(home)["summer"][:2] for name, home in after.items()}
    assert summer["summer runs"] == ["2024-03-30", False]
    assert summer["summer is over"] == ["2024-04-10", True]
    assert measured(after["autumn runs"])["autumn"] == ["2024-05-07", False, "before_after_matched", 134, 0, None]
    assert measured(after["an order and a cost came late"])["autumn"][:2] == ["2024-05-14", True]
    assert measured(after["an order and a cost came late"])["autumn"][-1] == 40


def test_a_night_leaves_the_campaigns_alone_that_it_does_not_touch(
    nights: tuple[SmallMailing, dict[str, Installation]],
) -> None:
    _, after = nights
    kept = after["contacts came late"].sql("select campaign_id, objective from mart.mart_campaign order by 1")
    assert kept == [("autumn", None), ("spring", SEEN), ("summer", None)]


def test_outcomes_and_margin_of_a_campaign_with_holdout_come_from_the_orders(
    nights: tuple[SmallMailing, dict[str, Installation]],
) -> None:
    house, after = nights
    chosen = house.people[house.people["campaign_id"] == "summer"].set_index("customer_id")
    orders = house.orders[house.orders["day"].between("2024-03-20", "2024-04-10")]
    of_person = orders.groupby("customer_id").agg(visits=("net", "size"), spend=("net", "sum"), cost=("cost", "sum"))
    of_person = of_person.reindex(chosen.index, fill_value=0)
    of_person["margin"] = of_person["spend"] - of_person["cost"]
    of_person["conversion"] = (of_person["visits"] > 0).astype(float)
    rows = after["an order and a cost came late"].sql("""
        select outcome, outcome_source, difference, welch_low, welch_high, treated_people
        from mart.mart_campaign_effect join mart.mart_campaign using (campaign_durable_key)
        where campaign_id = 'summer' and arm = '(all)' and segment_kind = '(all)'
    """)
    assert {row[0] for row in rows} == {"visits", "conversion", "spend", "margin"}
    is_treated = chosen["mailing"] != "none"
    for outcome, source, difference, low, high, people in rows:
        treated, holdout = of_person.loc[is_treated, outcome], of_person.loc[~is_treated, outcome]
        tested = stats.ttest_ind(treated, holdout, equal_var=False)
        interval = tested.confidence_interval()
        assert (source, people) == ("orders", is_treated.sum())
        assert difference == pytest.approx((interval.low + interval.high) / 2, rel=1e-9)
        assert (low, high) == (pytest.approx(interval.low, rel=1e-7), pytest.approx(interval.high, rel=1e-7))
    ((roi, reason, incremental),) = after["an order and a cost came late"].sql(
        "select roi, roi_unmeasured_because, incremental_margin::double from mart.mart_campaign"
        " where campaign_id = 'summer'"
    )
    gain = is_treated.sum() * (of_person.loc[is_treated, "margin"].mean() - of_person.loc[~is_treated, "margin"].mean())
    assert (incremental, reason) == (pytest.approx(gain, abs=0.001), None)
    assert roi == pytest.approx((gain - 50) / 50, rel=1e-9)


def test_a_rebuild_equals_the_nights(nights: tuple[SmallMailing, dict[str, Installation]], tmp_path: Path) -> None:
    _, after = nights
    grown = after["an order and a cost came late"]
    rebuilt = grown.copy(tmp_path / "rebuilt")
    rebuilt.load("2024-05-20", "--rebuild")
    # spring was tampered with, and untouched since: the one difference there may be
    for home in (grown, rebuilt):
        with duckdb.connect(str(home.warehouse.resolve())) as con:
            con.execute("update mart.mart_campaign set objective = null")
    assert_same_tables(grown, rebuilt)
