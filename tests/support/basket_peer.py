"""Basket rules as mlxtend finds them, to compare the mart with."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd
from mlxtend.frequent_patterns import association_rules, fpgrowth

Rules = dict[tuple[str, str], tuple[float, float, float, float | None]]

MEASURES = "support, confidence, lift, conviction"


def rules_of(baskets: Iterable[tuple[str, str]], min_support: float, all_baskets: int) -> Rules:
    """(antecedent, consequent) -> support, confidence, lift, conviction; an infinite conviction is None.

    Args:
        baskets: (basket, item), in any order, twins allowed.
        all_baskets: how many baskets there are; those without an item count, too.
    """
    lines = pd.DataFrame(baskets, columns=["basket", "item"]).drop_duplicates()
    held = pd.crosstab(lines["basket"], lines["item"]).astype(bool)
    empty = pd.DataFrame(False, index=[f"empty {n}" for n in range(all_baskets - len(held))], columns=held.columns)
    frequent = fpgrowth(pd.concat([held, empty]), min_support=min_support, use_colnames=True, max_len=2)
    if frequent.empty:
        return {}
    found = association_rules(frequent, metric="support", min_threshold=min_support)
    return {
        (next(iter(rule.antecedents)), next(iter(rule.consequents))): (
            rule.support,
            rule.confidence,
            rule.lift,
            None if math.isinf(rule.conviction) else rule.conviction,
        )
        for rule in found.itertuples()
    }


def assert_same_rules(ours: Rules, theirs: Rules) -> None:
    """Rule for rule the same measures, to 1e-9."""
    assert ours.keys() == theirs.keys()
    for rule, measures in theirs.items():
        for our, their in zip(ours[rule], measures, strict=True):
            same = our is None if their is None else our is not None and math.isclose(our, their, rel_tol=1e-9)
            assert same, f"{rule}: {ours[rule]} and {measures}"
