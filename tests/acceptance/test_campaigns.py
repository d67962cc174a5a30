"""Campaign marts: a randomised mailing of three arms against scipy, real campaigns without holdout against pandas."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.support.installation import Installation
from tests.support.real_data import write_slice
from tests.support.small_mailing import draw_mailing

pytestmark = pytest.mark.long

PEOPLE = 6000
OUTCOMES = {"visits": "visit", "conversion": "conversion", "spend": "spend"}
EFFECTS = """
    select campaign_id, effects.*
    from mart.mart_campaign_effect as effects join mart.mart_campaign using (campaign_durable_key)
"""


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return draw_mailing(Path("nowhere"), PEOPLE).people


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("mailing")
    drawn = draw_mailing(folder, PEOPLE)
    drawn.costs = pd.DataFrame(
        {"campaign_id": "spring", "day": "2024-03-01", "kind": ["print", "post"], "amount": [900, 600]}
    )
    drawn.write()
    home = drawn.installation(folder)
    home.load("2024-03-15")
    return home


def frame(home: Installation, query: str) -> pd.DataFrame:
    with duckdb.connect(str(home.warehouse.resolve()), read_only=True) as con:
        return con.execute(query).df()


def sides(people: pd.DataFrame, row: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The outcome of the treated and of the holdout, of one row of the mart."""
    kinds = {
        "(all)": pd.Series("(all)", people.index),
        "newbie": people["newbie"].map({True: "yes", False: "no"}),
        "history": people["history"],
        "region": people["zip_code"],
    }
    there = people[kinds[row["segment_kind"]] == row["segment"]]
    values = there[OUTCOMES[row["outcome"]]].astype(float)
    is_treated = there["mailing"] != "none" if row["arm"] == "(all)" else there["mailing"] == row["arm"]
    return values[is_treated].to_numpy(), values[there["mailing"] == "none"].to_numpy()


def test_each_arm_is_compared_by_segment_and_outcome(mailing: Installation) -> None:
    rows = frame(mailing, EFFECTS)
    assert set(rows["arm"]) == {"(all)", "mens", "womens"}
    assert set(rows["outcome"]) == set(OUTCOMES), "a margin that nobody measured has no row"
    segments = rows.groupby("segment_kind")["segment"].nunique().to_dict()
    assert segments == {"(all)": 1, "newbie": 2, "history": 3, "region": 3}
    assert len(rows) == 3 * 3 * sum(segments.values())
    assert set(rows["method"]) == {"holdout"}
    assert set(rows["outcome_source"]) == {"contact"}
    assert rows["warning"].isna().all()


def test_every_difference_and_its_interval_is_scipys(mailing: Installation, people: pd.DataFrame) -> None:
    rows = frame(mailing, EFFECTS)
    for _, row in rows.iterrows():
        treated, holdout = sides(people, row)
        tested = stats.ttest_ind(treated, holdout, equal_var=False)
        interval = tested.confidence_interval()
        assert (row["treated_people"], row["comparison_people"]) == (len(treated), len(holdout))
        assert row["treated_mean"] == pytest.approx(treated.mean(), rel=1e-12)
        assert row["treated_variance"] == pytest.approx(treated.var(ddof=1), rel=1e-9)
        assert row["comparison_variance"] == pytest.approx(holdout.var(ddof=1), rel=1e-9)
        assert row["degrees_of_freedom"] == pytest.approx(tested.df, rel=1e-9)
        assert row["p_value"] == pytest.approx(tested.pvalue, rel=1e-5)
        # many degrees of freedom: Hill's quantile is good to 1e-12 there
        width = interval.high - interval.low
        assert row["welch_low"] == pytest.approx(interval.low, abs=1e-9 * width)
        assert row["welch_high"] == pytest.approx(interval.high, abs=1e-9 * width)


def test_skewed_outcomes_have_a_bootstrap_interval_like_scipys(mailing: Installation, people: pd.DataFrame) -> None:
    """An end from 1,000 resamples is known to sqrt(0.025 x 0.975 / 1000) / 0.0584 = 0.085 standard errors, 2.2 % of the
    interval's width, and scipy's from 4,000 to half of that: their difference stays within four times both together."""
    rows = frame(mailing, EFFECTS)
    rows = rows[(rows["interval_to_use"] == "bootstrap") & (rows["segment_kind"].isin(["(all)", "newbie"]))]
    assert {"spend", "conversion"} <= set(rows["outcome"])
    for _, row in rows.iterrows():
        sample = sides(people, row)
        theirs = stats.bootstrap(
            sample,
            lambda treated, holdout, axis: treated.mean(axis=axis) - holdout.mean(axis=axis),
            method="percentile",
            n_resamples=4000,
            batch=100,
            rng=np.random.default_rng(1),
        ).confidence_interval
        tolerance = 4 * np.hypot(0.022, 0.011) * (theirs.high - theirs.low)
        assert row["bootstrap_low"] == pytest.approx(theirs.low, abs=tolerance)
        assert row["bootstrap_high"] == pytest.approx(theirs.high, abs=tolerance)
        assert (row["difference_low"], row["difference_high"]) == (row["bootstrap_low"], row["bootstrap_high"])
        assert "355 x skewness squared" in row["interval_reason"]


def test_bootstrap_is_asked_for_where_the_outcome_is_skewed(mailing: Installation, people: pd.DataFrame) -> None:
    rows = frame(mailing, EFFECTS)
    for _, row in rows.iterrows():
        treated, holdout = sides(people, row)
        needed = np.ceil(355 * max(stats.skew(treated) ** 2, stats.skew(holdout) ** 2))
        assert row["interval_to_use"] == ("bootstrap" if min(len(treated), len(holdout)) < needed else "welch_t")


def test_a_mailing_without_orders_has_a_return_on_net_sales_and_says_why_not_on_margin(
    mailing: Installation, people: pd.DataFrame
) -> None:
    (row,) = frame(mailing, "select * from mart.mart_campaign").to_dict("records")
    treated, holdout = people[people["mailing"] != "none"], people[people["mailing"] == "none"]
    assert (row["people_contacted"], row["people_held_out"]) == (len(treated), len(holdout))
    assert row["contacts"] == len(treated)
    gain = (treated["spend"].mean() - holdout["spend"].mean()) * len(treated)
    assert float(row["incremental_net_sales"]) == pytest.approx(gain, abs=0.001)
    assert row["roi_on_net_sales"] == pytest.approx((gain - 1500) / 1500, rel=1e-9)
    assert float(row["cost_per_contact"]) == pytest.approx(1500 / len(treated), abs=0.0001)
    assert pd.isna(row["roi"])
    assert pd.isna(row["redemptions"])
    assert pd.isna(row["delivered"])
    assert row["roi_unmeasured_because"] == "there are no orders in the days of the campaign, so no margin"


# ---- real campaigns without a holdout, computed once more in pandas


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("journey")
    home = Installation(folder / "home", write_slice(folder / "data", households=400, stores=1))
    home.load("2017-12-31")
    return home


def before_and_after(orders: pd.DataFrame, contacted: set[str], redeemers: set[str], start: pd.Timestamp,
                     days: int, outcome: str) -> tuple[float, float, float, int, int]:  # fmt: skip
    """Difference in differences within tenths of spend before: effect, standard error, degrees of freedom, people."""
    first, last = start - pd.Timedelta(days=days), start + pd.Timedelta(days=days - 1)
    there = orders[orders["day"].between(first, last)].assign(during=lambda f: f["day"] >= start)
    sums = there.groupby(["household", "during"]).agg(spend=("net", "sum"), visits=("basket", "nunique"))
    everybody = sums.index.unique("household")
    before, during = (sums.xs(period, level="during").reindex(everybody, fill_value=0) for period in (False, True))
    people = pd.DataFrame({"treated": before.index.isin(contacted)}, index=before.index)
    people["spend"] = before["spend"].round(4)
    if outcome == "conversion":
        people["gain"] = (during["visits"] > 0).astype(float) - 1
    else:
        people["gain"] = during[outcome] - before[outcome]
    people = people[(before["visits"] > 0) & (people["treated"] | ~people.index.isin(redeemers))]
    people["stratum"] = (10 * (people["spend"].rank(method="min") - 1) // len(people)).astype(int)
    parts = []
    for _, stratum in people.groupby("stratum"):
        treated, others = stratum.loc[stratum["treated"], "gain"], stratum.loc[~stratum["treated"], "gain"]
        if len(treated) > 1 and len(others) > 1:
            parts.append((len(treated), len(others), treated.mean() - others.mean(), treated.var() / len(treated),
                          others.var() / len(others)))  # fmt: skip
    n, m, effect, ours, theirs = map(np.array, zip(*parts, strict=True))
    weight = n / n.sum()
    variance = (weight**2 * (ours + theirs)).sum()
    freedom = variance**2 / ((weight**2 * ours) ** 2 / (n - 1) + (weight**2 * theirs) ** 2 / (m - 1)).sum()
    return float((weight * effect).sum()), float(np.sqrt(variance)), float(freedom), int(n.sum()), int(m.sum())


def test_campaigns_without_holdout_equal_an_independent_difference_in_differences(journey: Installation) -> None:
    orders = frame(journey, "select * from read_parquet('{}')".format(journey.data / "transactions.parquet"))
    orders["day"] = (
        orders["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.tz_localize(None)
    ).dt.normalize()
    orders = orders.assign(
        household=orders["household_id"].astype(int).astype(str),
        basket=orders["basket_id"],
        net=orders["sales_value"].round(2),
    )
    chosen = frame(journey, "select campaign_id::int::varchar as c, household_id::int::varchar as h"
                   f" from read_parquet('{journey.data / 'campaigns.parquet'}')")  # fmt: skip
    redeemed = frame(journey, "select campaign_id::int::varchar as c, household_id::int::varchar as h"
                     f" from read_parquet('{journey.data / 'coupon_redemptions.parquet'}')")  # fmt: skip
    rows = frame(
        journey,
        "select campaign_id, window_start, measured_until, effects.* from mart.mart_campaign_effect as effects"
        " join mart.mart_campaign using (campaign_durable_key)"
        " where effects.segment_kind = '(all)' and effects.method = 'before_after_matched'",
    )
    assert rows["campaign_id"].nunique() > 10
    for _, row in rows.iterrows():
        days = (row["measured_until"] - row["window_start"]).days + 1
        contacted = set(chosen.loc[chosen["c"] == row["campaign_id"], "h"])
        redeemers = set(redeemed.loc[redeemed["c"] == row["campaign_id"], "h"]) - contacted
        effect, error, freedom, people, others = before_and_after(
            orders, contacted, redeemers, row["window_start"], days, row["outcome"]
        )
        assert (row["treated_people"], row["comparison_people"]) == (people, others)
        assert row["difference"] == pytest.approx(effect, rel=1e-8, abs=1e-9)
        assert row["standard_error"] == pytest.approx(error, rel=1e-6, abs=1e-9)
        if row["degrees_of_freedom"] >= 3 and error > 1e-9:
            assert row["degrees_of_freedom"] == pytest.approx(freedom, rel=1e-6)
            low, high = stats.t.interval(0.95, freedom, effect, error)
            assert row["welch_low"] == pytest.approx(low, abs=1e-5 * (high - low))
            assert row["welch_high"] == pytest.approx(high, abs=1e-5 * (high - low))
        assert row["warning"].startswith("No holdout")


def test_a_campaign_that_orders_do_not_reach_back_before_has_a_reason_and_no_effect(journey: Installation) -> None:
    rows = frame(journey, "select * from mart.mart_campaign where method is null")
    why = dict(zip(rows["campaign_id"], rows["effect_unmeasured_because"], strict=True))
    early = {"24", "25", "26", "27"}
    assert early <= set(why)
    assert {why[campaign] for campaign in early} == {
        "there is no holdout, and orders do not reach back as far before the campaign as it lasted"
    }
    assert rows["incremental_net_sales"].isna().all()
    assert frame(journey, f"{EFFECTS} where campaign_id in ('24', '25', '26', '27')").empty


def test_reach_and_redemptions_are_those_of_the_files(journey: Installation) -> None:
    ours = journey.sql(
        "select campaign_id, people_contacted, redemptions, redeemers from mart.mart_campaign order by campaign_id"
    )
    theirs = journey.sql(f"""
        with contacted as (
            select campaign_id, count(distinct household_id) as n
            from read_parquet('{journey.data / "campaigns.parquet"}') group by 1
        ), redeemed as (
            select campaign_id, count(*) as r, count(distinct household_id) as p
            from read_parquet('{journey.data / "coupon_redemptions.parquet"}') group by 1
        )
        select campaign_id::int::varchar, n, coalesce(r, 0), coalesce(p, 0)
        from read_parquet('{journey.data / "campaign_descriptions.parquet"}')
        left join contacted using (campaign_id) left join redeemed using (campaign_id) order by 1
    """)
    assert ours == theirs
