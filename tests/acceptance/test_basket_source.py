"""A set of baskets that says nothing but what was bought together, brought in as sources/README.md tells it."""

from __future__ import annotations

import random
import subprocess
from itertools import groupby
from operator import itemgetter

import pytest

from tests.support.basket_peer import MEASURES, assert_same_rules, rules_of
from tests.support.brought_in import GROCERIES, brought_in, told
from tests.support.installation import Installation


def drawn() -> list[tuple[str, str]]:
    """700 baskets of 40 items, of falling popularity, the same in every run; tea is always bought with milk."""
    rng = random.Random(5)
    found = []
    for basket in range(700):
        items = {f"item {n}" for n in range(40) if rng.random() < 0.35 / (1 + n / 3)} or {"item 0"}
        if rng.random() < 0.1:
            items |= {"tea", "milk"}
        found += [(str(basket), item) for item in sorted(items)]
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    staging = {"order_lines": told("sql", "landed('groceries', 'baskets')")}
    loaded = brought_in(tmp_path_factory.mktemp("groceries"), GROCERIES, staging, "2020-01-01")
    baskets = groupby(drawn(), key=itemgetter(0))
    written = "".join(",".join(item for _, item in lines) + "\n" for _, lines in baskets)
    (loaded.data / "groceries.csv").write_text(written)
    subprocess.run(["bash", "-e", "-c", told("sh", "groceries.csv")], cwd=loaded.data, check=True)
    loaded.load("2020-01-01")
    return loaded


def test_their_rules_are_those_of_mlxtend(home: Installation) -> None:
    rows = home.sql(f"select antecedent, consequent, {MEASURES} from mart.mart_basket_rule where support >= 0.01")
    assert_same_rules({row[:2]: row[2:] for row in rows}, rules_of(drawn(), 0.01, 700))


def test_a_rule_without_exception_has_no_finite_conviction(home: Installation) -> None:
    told = "select confidence, conviction from mart.mart_basket_rule where antecedent = 'tea' and consequent = 'milk'"
    assert home.sql(told) == [(1.0, None)]


def test_what_the_source_does_not_say_is_not_made_up(home: Installation) -> None:
    told = "select distinct item_level, antecedent_department from mart.mart_basket_rule"
    assert home.sql(told) == [("product", None)]
    assert home.sql("select count(*) from mart.mart_next_best_product") == [(0,)]
