"""Baskets alone, brought in as a source: items of an order, no prices, no customers; each night the rules of mlxtend.

In the nights: a late order, an order moved to another month, one that loses an item, a deleted one, an item that
becomes frequent, one that no longer is, and a month that leaves the window.
"""

from __future__ import annotations

import csv
import random
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.support.basket_peer import MEASURES, Rules, assert_same_rules, rules_of
from tests.support.installation import PROJECT, Installation, assert_same_tables

pytestmark = pytest.mark.long

MIN_SUPPORT = 0.03
SOURCE = """
name: kiosk
kind: files
root: ${KIOSK_DIR}
timezone: Europe/London
feeds:
  baskets:
    path: baskets.csv
    class: transactional
    canonical: order_lines
    extract: upsert
    key: [basket, position]
    cursor: bought_on
    updated_at: changed_at
    deleted_when: item is null
    columns: {basket: VARCHAR, position: BIGINT, bought_on: DATE, item: VARCHAR, changed_at: TIMESTAMP}
"""
# Money and customers are not measured: the contract's amounts are 0, the customer stays out.
STAGING = """
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op,
    _updated_at as updated_at, _superseded as is_superseded,
    basket as order_id, position as line_no, _business_date as order_date, 'store' as channel, item as product_id,
    1 as quantity, 0 as gross, 0 as discount_retail, 0 as discount_coupon, 0 as discount_match, 0 as net
from {{ landed('kiosk', 'baskets') }} as landed
"""
FIRST, LAST = date(2015, 12, 1), date(2016, 12, 20)
Baskets = dict[str, tuple[date, list[str]]]


def drawn() -> Baskets:
    """Baskets of 13 months, the same in every run: 30 items, of falling popularity, some of them bought in company."""
    rng = random.Random(7)
    found: Baskets = {}
    for number in range(900):
        day = FIRST + timedelta(days=rng.randrange((LAST - FIRST).days + 1))
        items = {f"item {n}" for n in range(30) if rng.random() < 0.4 / (1 + n / 2)}
        if "item 1" in items and rng.random() < 0.8:
            items.add("item 20")
        found[f"B{number}"] = (day, sorted(items or {"item 0"}))
    return found


class Kiosk:
    """The export: everything that changed since the last one, with the time of the change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.held: Baskets = {}

    def export(self, night: date, changed: Baskets) -> None:
        with (self.folder / "baskets.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["basket", "position", "bought_on", "item", "changed_at"])
            for basket, (day, items) in changed.items():
                before = len(self.held.get(basket, (day, []))[1])
                for position in range(max(before, len(items))):
                    item = items[position] if position < len(items) else ""
                    rows.writerow([basket, position, day, item, f"{night} 08:00:00"])
        self.held |= changed

    def window(self) -> list[tuple[str, list[str]]]:
        """Baskets of the twelve months up to the newest order."""
        newest = max(day for day, items in self.held.values() if items)
        months = {(d.year, d.month) for d in (newest.replace(day=1) - timedelta(days=31 * n - 15 * (n > 0))
                                              for n in range(12))}  # fmt: skip
        assert len(months) == 12
        return [(basket, items) for basket, (day, items) in self.held.items()
                if items and (day.year, day.month) in months]  # fmt: skip

    def rules(self) -> Rules:
        window = self.window()
        lines = [(basket, item) for basket, items in window for item in items]
        return rules_of(lines, MIN_SUPPORT, len(window))


def rules_in(home: Installation) -> Rules:
    rows = home.sql(
        f"select antecedent, consequent, {MEASURES} from mart.mart_basket_rule where item_level = 'product'"
    )
    return {row[:2]: row[2:] for row in rows}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Installation, Rules]]:
    """The home after each night, and the rules mlxtend finds then."""
    folder = tmp_path_factory.mktemp("kiosk")
    for name in ("dbt", "sources", "expectations"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs"))
    (folder / "sources" / "kiosk").mkdir()
    (folder / "sources" / "kiosk" / "source.yml").write_text(SOURCE)
    staging = folder / "dbt" / "models" / "staging" / "kiosk"
    staging.mkdir()
    (staging / "sources.yml").write_text("sources: [{name: kiosk, schema: landing, tables: [{name: baskets}]}]\n")
    (staging / "stg_kiosk__order_lines.sql").write_text(STAGING)
    (folder / "dbt" / "seeds" / "basket_levels.csv").write_text(
        f"item_level,min_support,min_confidence\ndepartment,{MIN_SUPPORT},0\nproduct,{MIN_SUPPORT},0\n"
    )
    data = folder / "data"
    data.mkdir()
    place = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
    place |= {"CLIENTELE_SOURCES": "kiosk", "CLIENTELE_FIRST_DATE": "2015-12-01", "KIOSK_DIR": str(data)}
    home = Installation(folder / "home", data, place)
    kiosk = Kiosk(data)
    after: dict[str, tuple[Installation, Rules]] = {}

    def night(name: str, day: date, changed: Baskets) -> None:
        kiosk.export(day, changed)
        home.load(day.isoformat())
        after[name] = (home.copy(folder / name), kiosk.rules())

    first = drawn()
    night("first", LAST, first)
    march = [basket for basket, (day, _) in first.items() if day.month == 3]
    night(
        "late and changed",
        date(2016, 12, 21),
        {
            "late": (date(2016, 5, 2), ["item 0", "item 29"]),
            march[0]: (date(2016, 10, 3), first[march[0]][1]),
            march[1]: (first[march[1]][0], first[march[1]][1][:-1]),
            march[2]: (first[march[2]][0], []),
        },
    )
    # a rare item in many baskets of one day becomes frequent; its baskets of the other months are found
    rising = {f"rising {n}": (date(2016, 12, 22), ["item 0", "item 29"]) for n in range(30)}
    night("rising", date(2016, 12, 22), rising)
    # ... and is no longer, as they were mistakes
    night("falling", date(2016, 12, 23), {basket: (day, ["item 3"]) for basket, (day, _) in rising.items()})
    night("next month", date(2017, 1, 2), {"new year": (date(2017, 1, 2), ["item 0", "item 1", "item 20"])})
    return after


NIGHTS = ["first", "late and changed", "rising", "falling", "next month"]


@pytest.mark.parametrize("night", NIGHTS)
def test_each_nights_rules_are_those_of_mlxtend(nights: dict[str, tuple[Installation, Rules]], night: str) -> None:
    home, theirs = nights[night]
    assert len(theirs) > 20
    assert_same_rules(rules_in(home), theirs)


def test_an_item_rises_and_falls_with_its_baskets(nights: dict[str, tuple[Installation, Rules]]) -> None:
    told = "select count(*) from mart.basket_items where item = 'item 29'"
    assert [nights[night][0].sql(told)[0][0] for night in NIGHTS[1:4]] == [0, 1, 0]
    paired = (
        "select count(distinct month_start_date) > 6 from mart.basket_pair_months where item_a_key in (select item_key"
        " from mart.basket_items where item = 'item 29') and item_a_key = item_b_key"
    )
    assert nights["rising"][0].sql(paired) == [(True,)]


def test_a_level_nobody_names_has_no_items(nights: dict[str, tuple[Installation, Rules]]) -> None:
    levels = "select distinct item_level from mart.basket_item_months"
    assert nights["next month"][0].sql(levels) == [("product",)]


@pytest.mark.parametrize("night", ["rising", "next month"])
def test_a_rebuild_equals_the_nights(nights: dict[str, tuple[Installation, Rules]], night: str, tmp_path: Path) -> None:
    grown = nights[night][0]
    rebuilt = grown.copy(tmp_path / "rebuilt")
    rebuilt.load({"rising": "2016-12-22", "next month": "2017-01-02"}[night], "--rebuild")
    assert_same_tables(grown, rebuilt, ["mart"])


def test_a_night_leaves_the_pairs_of_other_months_alone(
    nights: dict[str, tuple[Installation, Rules]], tmp_path: Path
) -> None:
    before = nights["next month"][0].copy(tmp_path / "marked")
    with duckdb.connect(str(before.warehouse.resolve())) as con:
        con.execute("update mart.basket_pair_months set source_system = 'kiosk', baskets = baskets + 1000"
                    " where item_a_key < item_b_key")  # fmt: skip
    rows = [
        ["basket", "position", "bought_on", "item", "changed_at"],
        ["new", 0, "2017-01-03", "item 0", "2017-01-03 08:00"],
    ]
    with (before.data / "baskets.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    before.env["KIOSK_DIR"] = str(before.data)
    before.load("2017-01-03")
    assert before.sql(
        "select month_start_date >= '2017-01-01', min(baskets) > 1000 from mart.basket_pair_months"
        " where item_a_key < item_b_key group by all order by all"
    ) == [(False, True), (True, False)]
