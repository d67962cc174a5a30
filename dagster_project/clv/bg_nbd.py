"""BG/NBD: purchases at a rate of one's own until, after one of them, the customer leaves.

Fader, Hardie & Lee 2005, "Counting Your Customers" the Easy Way, Marketing Science 24(2). Rates are Gamma(r, alpha),
the chance to leave after a purchase is Beta(a, b). Who never came back can't have left, so is alive for certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from dagster_project.clv.fitting import Fit, maximise, mean, too_few
from dagster_project.clv.quadrature import STEP, nodes
from dagster_project.clv.statistics import Floats, Integers, Purchases

CHUNK = 8192  # groups at a time: their nodes are held in memory
LEAST_LOG = -700.0  # of a chance to leave that is a double
MARGIN = 2.0  # beyond the features of the integrand, in log odds


@dataclass(frozen=True)
class BgNbd:
    """The fitted model. Times are in the unit that `alpha` is in."""

    name: ClassVar[str] = "bg_nbd"

    r: float
    alpha: float
    a: float
    b: float

    def p_alive(self, frequency: Integers, recency: Floats, age: Floats) -> Floats:
        """Probability that the customer has not left."""
        return np.asarray(special.expit(-_log_odds_gone(self, frequency, recency, age)), np.float64)

    def expected_purchases(self, frequency: Integers, recency: Floats, age: Floats, time: float) -> Floats:
        """Purchases to be expected in the next `time`."""
        alive = self.p_alive(frequency, recency, age)
        result = np.empty(len(frequency))
        for start in range(0, len(frequency), CHUNK):
            part = slice(start, start + CHUNK)
            result[part] = self._of_the_living(frequency[part], time / (self.alpha + age[part]))
        return alive * result

    def _of_the_living(self, frequency: Integers, spans: Floats) -> Floats:
        """The mean of (1 - (1 + p span)^-(r + x)) / p over p, which is Beta(a, b + x) for a customer alive."""
        many, widest = int(frequency.max()), float(spans.max())
        low = min(np.log(self.a / (self.b + many)), -np.log1p((self.r + many) * widest), -np.log1p(self.b + many))
        high = max(0.0, np.log(self.a / self.b))
        # a narrow density takes smaller steps, which must not have begun to widen where it is
        at, weights = nodes(low - MARGIN, high + MARGIN, self.a, self.b, min(STEP, 0.6 / np.sqrt(self.a)))
        leaving, staying = -np.logaddexp(0, -at), -np.logaddexp(0, at)
        distinct, which = np.unique(frequency, return_inverse=True)
        density = self.a * leaving + (self.b + distinct[:, None]) * staying + np.log(weights)
        density = np.exp(density - special.logsumexp(density, axis=1, keepdims=True))
        chance = np.exp(np.maximum(leaving, LEAST_LOG))
        bought = -np.expm1(-(self.r + frequency[:, None]) * np.log1p(spans[:, None] * chance)) / chance
        return np.asarray((density[which] * bought).sum(axis=1), np.float64)


def _log_odds_gone(model: BgNbd, x: Integers, recency: Floats, age: Floats) -> Floats:
    """log(P(left) / P(alive)); minus infinity for who never came back."""
    repeated = x > 0
    longer = np.log((model.alpha + age) / (model.alpha + recency))
    odds = np.log(model.a) - np.log(np.where(repeated, model.b + x - 1, 1.0)) + (model.r + x) * longer
    return np.where(repeated, odds, -np.inf)


def fit(purchases: Purchases) -> Fit:
    """Fit by maximum likelihood; time is measured in mean ages, so the unit of the statistics does not matter."""
    total, groups = purchases.total, len(purchases.customers)
    unfitted = Fit(BgNbd.name, "purchases", total, groups, message=too_few(total, purchases.repeaters))
    if unfitted.message:
        return unfitted
    x, share = purchases.frequency, purchases.customers / total
    unit = mean(purchases.age, share) or 1.0
    recency, age = purchases.recency / unit, purchases.age / unit
    constant = -mean(x, share) * np.log(unit)

    # the special functions take only the frequency: few distinct values
    distinct, which = np.unique(x, return_inverse=True)
    weight = np.asarray(np.bincount(which, share), np.float64)

    def likelihood(point: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(point)
        model, shape = BgNbd(r, alpha, a, b), r + x
        to_age, to_last = np.log(alpha + age), np.log(alpha + recency)
        odds = _log_odds_gone(model, x, recency, age)
        gone = special.expit(odds)
        each = special.gammaln(r + distinct) - special.gammaln(r) + r * np.log(alpha) + special.gammaln(a + b)
        each += special.gammaln(b + distinct) - special.gammaln(b) - special.gammaln(a + b + distinct)
        total = mean(each, weight) + mean(np.logaddexp(0, odds) - shape * to_age, share)
        all_of = special.digamma(a + b) - special.digamma(a + b + distinct)
        by_r = mean(special.digamma(r + distinct) - special.digamma(r) + np.log(alpha), weight)
        by_r += mean(gone * (to_age - to_last) - to_age, share)
        by_alpha = r / alpha - mean(shape * ((1 - gone) / (alpha + age) + gone / (alpha + recency)), share)
        by_a = mean(all_of, weight) + mean(gone, share) / a
        by_b = mean(all_of + special.digamma(b + distinct) - special.digamma(b), weight)
        by_b -= mean(gone / np.where(x > 0, b + x - 1, 1.0), share)
        return total + constant, np.exp(point) * np.array([by_r, by_alpha, by_a, by_b])

    starts = ((1.0, 1.0, 1.0, 1.0), (0.25, 0.15, 0.8, 2.5), (3.0, 0.3, 0.1, 3.0))
    return maximise(unfitted, likelihood, ("r", "alpha", "a", "b"), starts, (1.0, unit, 1.0, 1.0))
