"""Figures that others published of public data come out of the marts, the data brought in as a stranger would.

The files are not part of the project: PUBLISHED_DATA_DIR, or ../shared/data beside the checkout, has them in
mailing/hillstrom.csv and groceries/groceries.csv, each as its publisher gives it away.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Hashable
from typing import Any

import duckdb
import pytest

from tests.support.brought_in import GROCERIES, brought_in, told
from tests.support.installation import Installation
from tests.support.real_data import published_data

pytestmark = pytest.mark.long

# ---- a mailing: K. Hillstrom, "The MineThatData E-Mail Analytics And Data Mining Challenge", minethatdata.com,
# ---- 20 March 2008. 64,000 customers, a third each left alone or sent one of two e-mails, watched for two weeks.

MAILING = """
name: mailing
kind: files
root: ${MAILING_DIR}
timezone: UTC
feeds:
  contacts:
    path: hillstrom.csv
    class: promotional
    canonical: [campaign_contacts, campaigns, customers]
    extract: append
    cursor: "date '2008-03-01'"
    control_totals: {spend: spend}
    columns:
      recency: INTEGER
      history_segment: VARCHAR
      history: "DECIMAL(9, 2)"
      mens: INTEGER
      womens: INTEGER
      zip_code: VARCHAR
      newbie: INTEGER
      channel: VARCHAR
      segment: VARCHAR
      visit: INTEGER
      conversion: INTEGER
      spend: "DECIMAL(9, 2)"
"""
# The file names neither its campaign nor its days; which two weeks they were changes no figure.
CAMPAIGNS = """
select
    any_value(_system) as source_system, any_value(_feed) as source_feed, max(_load_id) as load_id,
    max(_row) as load_row, 'insert' as op, {{ first_day() }} as effective_from,
    'spring' as campaign_id, date '2008-03-01' as start_date, date '2008-03-14' as end_date
from {{ landed('mailing', 'contacts', history=true) }} as landed
having count(*) > 0
"""
CUSTOMERS = """
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, 'insert' as op,
    {{ first_day() }} as effective_from, cast(_row as varchar) as customer_id, zip_code as region
from {{ landed('mailing', 'contacts', history=true) }} as landed
"""
# (people, visits, conversion, spend a head) of each arm, to as many digits as they are published with
HOLDOUT = (21306, 0.1062, 0.00573, 0.6528)
ARMS = {"Mens E-Mail": (21307, 0.1828, 0.01253, 1.4226), "Womens E-Mail": (21387, 0.1514, 0.00884, 1.0772)}
# What each e-mail added: visits and conversion in points, spend in dollars a head
ADDED = {"Mens E-Mail": (7.66, 0.68, 0.77), "Womens E-Mail": (4.52, 0.31, 0.42)}
OUTCOMES = ("visits", "conversion", "spend")
DIGITS = {"visits": 4, "conversion": 5, "spend": 4}


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    file = published_data("PUBLISHED_DATA_DIR", "mailing/hillstrom.csv") / "mailing/hillstrom.csv"
    contacts = told("sql", "landed('mailing', 'contacts')")
    # it has neither customer numbers nor days
    for said, instead in {
        "    customer_id,": "    cast(_row as varchar) as customer_id,",
        "sent_on": "_business_date",
    }.items():
        assert said in contacts
        contacts = contacts.replace(said, instead)
    staging = {"campaign_contacts": contacts, "campaigns": CAMPAIGNS, "customers": CUSTOMERS}
    home = brought_in(tmp_path_factory.mktemp("mailing"), MAILING, staging, "2008-01-01")
    shutil.copy(file, home.data)
    home.load("2008-03-15")
    return home


def effects(home: Installation) -> dict[tuple[str, str], dict[Hashable, Any]]:
    """(arm, outcome) -> its row of the mart, of all people."""
    with duckdb.connect(str(home.warehouse.resolve()), read_only=True) as con:
        rows = con.execute("select * from mart.mart_campaign_effect where segment_kind = '(all)'").df()
    return {(row["arm"], row["outcome"]): row for row in rows.to_dict("records")}


def test_everybody_of_the_mailing_is_on_the_side_that_was_drawn(mailing: Installation) -> None:
    reach = mailing.sql("select people_contacted, people_held_out, people_on_both_sides from mart.mart_campaign")
    assert reach == [(21307 + 21387, 21306, 0)]


@pytest.mark.parametrize("arm", ARMS)
def test_each_arm_visits_buys_and_spends_as_published(mailing: Installation, arm: str) -> None:
    found = effects(mailing)
    for place, outcome in enumerate(OUTCOMES, start=1):
        row, digits = found[arm, outcome], DIGITS[outcome]
        assert (row["treated_people"], row["comparison_people"]) == (ARMS[arm][0], HOLDOUT[0])
        assert round(row["treated_mean"], digits) == ARMS[arm][place]
        assert round(row["comparison_mean"], digits) == HOLDOUT[place]


@pytest.mark.parametrize("arm", ARMS)
def test_each_email_added_what_is_published(mailing: Installation, arm: str) -> None:
    found = effects(mailing)
    scale = {"visits": 100, "conversion": 100, "spend": 1}
    added = tuple(round(scale[outcome] * found[arm, outcome]["difference"], 2) for outcome in OUTCOMES)
    assert added == ADDED[arm]
    assert all(found[arm, outcome]["difference_low"] > 0 for outcome in OUTCOMES), "both e-mails worked"
    assert {found[arm, outcome]["method"] for outcome in OUTCOMES} == {"holdout"}


# ---- baskets: Groceries of the R package arules (M. Hahsler, K. Hornik, T. Reutterer, 2006: a grocery outlet's till
# ---- over 30 days), as `summary(Groceries)` and `inspect(apriori(...))` of the package print it.

BASKETS, ITEMS, BOUGHT = 9835, 169, 43367
HELD = {"whole milk": 2513, "other vegetables": 1903, "rolls/buns": 1809, "soda": 1715, "yogurt": 1372}
SUPPORT = {"whole milk": 0.2555, "other vegetables": 0.1935, "rolls/buns": 0.1839}
RULES = {
    ("other vegetables", "whole milk"): (0.07483477, 0.3867578, 1.513634),
    ("yogurt", "whole milk"): (0.05602440, 0.4016035, 1.571735),
    ("rolls/buns", "whole milk"): (0.05663447, 0.3079049, 1.205032),
    ("root vegetables", "whole milk"): (0.04890696, 0.4486940, 1.756031),
    ("root vegetables", "other vegetables"): (0.04738180, 0.4347015, 2.246605),
}
# B. Lantz, "Machine Learning with R", chapter 8: from support 0.006 and confidence 0.25 on, 150 rules have two items
PAIRS = 150
BY_LIFT = [("herbs", "root vegetables", 3.956477), ("berries", "whipped/sour cream", 3.796886)]


@pytest.fixture(scope="module")
def groceries(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    file = published_data("PUBLISHED_DATA_DIR", "groceries/groceries.csv") / "groceries/groceries.csv"
    staging = {"order_lines": told("sql", "landed('groceries', 'baskets')")}
    home = brought_in(tmp_path_factory.mktemp("groceries"), GROCERIES, staging, "2020-01-01")
    shutil.copy(file, home.data)
    subprocess.run(["bash", "-e", "-c", told("sh", "groceries.csv")], cwd=home.data, check=True)
    home.load("2020-01-01")
    return home


def test_all_baskets_and_items_are_there(groceries: Installation) -> None:
    held = groceries.sql(
        "select count(distinct order_id), count(distinct product_key), count(*) from star.fct_sales_line"
    )
    assert held == [(BASKETS, ITEMS, BOUGHT)]


def test_items_are_in_as_many_baskets_as_published(groceries: Installation) -> None:
    rows = groceries.sql("select item, baskets, support from mart.basket_items where item_level = 'product'")
    found = {item: (baskets, support) for item, baskets, support in rows}
    assert {item: found[item][0] for item in HELD} == HELD
    assert {item: round(found[item][1], 4) for item in SUPPORT} == SUPPORT


@pytest.mark.parametrize("rule", RULES, ids=" -> ".join)
def test_a_rule_has_the_published_support_confidence_and_lift(groceries: Installation, rule: tuple[str, str]) -> None:
    antecedent, consequent = rule
    ((support, confidence, lift),) = groceries.sql(
        "select support, confidence, lift from mart.mart_basket_rule where item_level = 'product'"
        f" and antecedent = '{antecedent}' and consequent = '{consequent}'"
    )
    # R prints seven significant digits
    assert (support, confidence, lift) == pytest.approx(RULES[rule], rel=1e-6)


def test_as_many_rules_of_two_items_reach_a_level_as_published(groceries: Installation) -> None:
    rows = groceries.sql(
        "select antecedent, consequent, lift from mart.mart_basket_rule"
        " where item_level = 'product' and support >= 0.006 and confidence >= 0.25 order by lift desc"
    )
    assert len(rows) == PAIRS
    assert [(*rule, round(lift, 6)) for *rule, lift in rows[:2]] == BY_LIFT
