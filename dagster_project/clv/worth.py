"""All models on one set of statistics: fits, which of them is to be believed, and what they say of each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dagster_project.clv import bg_nbd, fallback, gamma_gamma, pareto_nbd
from dagster_project.clv.fitting import Fit
from dagster_project.clv.statistics import Floats, Integers, Purchases, Statistics, Values

UNIT = "day"
MONTH = 365.25 / 12  # in units
YEAR = 365.25


class PurchaseModel(Protocol):
    """Says of groups of customers whether they will buy."""

    @property
    def name(self) -> str: ...

    def p_alive(self, frequency: Integers, recency: Floats, age: Floats) -> Floats: ...

    def expected_purchases(self, frequency: Integers, recency: Floats, age: Floats, time: float) -> Floats: ...


class ValueModel(Protocol):
    """Says of groups of customers what a purchase will bring."""

    @property
    def name(self) -> str: ...

    def expected_value(self, days: Integers, amount: Floats) -> Floats: ...


PURCHASES: dict[str, type[PurchaseModel]] = {
    model.name: model for model in (bg_nbd.BgNbd, pareto_nbd.ParetoNbd, fallback.FallbackPurchases)
}
VALUES: dict[str, type[ValueModel]] = {model.name: model for model in (gamma_gamma.GammaGamma, fallback.FallbackValue)}


@dataclass(frozen=True)
class Horizon:
    """How far ahead a customer's worth is counted, and what a year's wait costs."""

    months: int = 36
    discount_rate: float = 0.1

    def __post_init__(self) -> None:
        if self.months < 1 or self.discount_rate <= -1:
            raise ValueError("a horizon is a month or more, and a discount rate above -1")


@dataclass(frozen=True)
class Worth:
    """The fits of a set of statistics.

    Attributes:
        fits: of every model, the fall-backs too.
        purchases, values: the models to be believed: the likeliest that converged, else the fall-back.
    """

    statistics: Statistics
    horizon: Horizon
    fits: tuple[Fit, ...]

    @property
    def purchases(self) -> str:
        return self._likeliest("purchases")

    @property
    def values(self) -> str:
        return self._likeliest("value")

    def _likeliest(self, role: str) -> str:
        usable = [fit for fit in self.fits if fit.role == role and fit.converged]
        # purchase models have the same number of parameters, so no criterion needs to weigh them
        best = max(usable, key=lambda fit: fit.log_likelihood or -np.inf, default=None)
        return best.model if best else fallback.FallbackPurchases.name

    def usable(self, role: str) -> list[Fit]:
        """The fits whose parameters count: those converged, and the fall-back."""
        return [fit for fit in self.fits if fit.role == role and (fit.converged or fit.model == "fallback")]


def fit(statistics: Statistics, horizon: Horizon | None = None) -> Worth:
    """Fit every model. Never fails on odd data: a fit that can't be relied on says why, and the fall-back is there."""
    purchases, values = statistics.purchases, statistics.values
    fits = (
        bg_nbd.fit(purchases),
        pareto_nbd.fit(purchases),
        fallback.of_purchases(purchases),
        gamma_gamma.fit(values),
        fallback.of_values(values),
    )
    return Worth(statistics, horizon or Horizon(), fits)


def discounted_purchases(model: PurchaseModel, groups: Purchases, horizon: Horizon) -> Floats:
    """Purchases to be expected over the horizon, each month's worth as much less as it is far."""
    total, before = np.zeros(len(groups.customers)), np.zeros(len(groups.customers))
    for month in range(1, horizon.months + 1):
        by_then = model.expected_purchases(groups.frequency, groups.recency, groups.age, month * MONTH)
        total += (by_then - before) * (1 + horizon.discount_rate) ** (-month / 12)
        before = by_then
    return total


def score_purchases(fits: Sequence[Fit], groups: Purchases, horizon: Horizon) -> dict[str, list[Floats | Integers]]:
    """Columns of scores, a row a model and group."""
    known = groups.frequency, groups.recency, groups.age
    found: dict[str, list[Floats | Integers]] = {
        name: [] for name in ("p_alive", "expected_purchases_month", "expected_purchases_year", "discounted_purchases")
    }
    for each in fits:
        model = PURCHASES[each.model](**each.parameters)
        found["p_alive"].append(model.p_alive(*known))
        found["expected_purchases_month"].append(model.expected_purchases(*known, MONTH))
        found["expected_purchases_year"].append(model.expected_purchases(*known, YEAR))
        found["discounted_purchases"].append(discounted_purchases(model, groups, horizon))
    return found


def score_values(fits: Sequence[Fit], groups: Values) -> list[Floats]:
    """What a purchase will bring, a row a model and group."""
    return [VALUES[each.model](**each.parameters).expected_value(groups.days, groups.money) for each in fits]
