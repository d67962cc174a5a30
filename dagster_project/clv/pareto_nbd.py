"""Pareto/NBD: purchases at a rate of one's own until, at some time, the customer leaves.

Schmittlein, Morrison & Colombo 1987, Counting Your Customers, Management Science 33(1); the likelihood as derived in
Fader & Hardie 2005, A Note on Deriving the Pareto/NBD Model. Purchase rates are Gamma(r, alpha), leaving rates
Gamma(s, beta).

In place of that note's difference of two hypergeometric functions there is one probability q(t): of leaving before
another purchase, for a customer seen alive at t who had x purchases by then. With w the chance that neither happens
between the last purchase and now, P(data) is proportional to q(last) + w (1 - q(now)): a sum of positive terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from dagster_project.clv.fitting import Fit, maximise, too_few
from dagster_project.clv.quadrature import nodes
from dagster_project.clv.statistics import Floats, Integers, Purchases

CHUNK = 8192


@dataclass(frozen=True)
class ParetoNbd:
    """The fitted model. Times are in the unit that `alpha` and `beta` are in."""

    name: ClassVar[str] = "pareto_nbd"

    r: float
    alpha: float
    s: float
    beta: float

    def p_alive(self, frequency: Integers, recency: Floats, age: Floats) -> Floats:
        """Probability that the customer has not left."""
        quiet = np.exp(_log_quiet(self, frequency, recency, age))
        before, now = (self._leaves_first(frequency, time) for time in (recency, age))
        return np.asarray(quiet / (before + quiet * (1 - now)), np.float64)

    def expected_purchases(self, frequency: Integers, recency: Floats, age: Floats, time: float) -> Floats:
        """Purchases to be expected in the next `time`."""
        longer = np.log1p(time / (self.beta + age))
        # (1 - e^-(s - 1) l) / (s - 1), which has no pole at s = 1
        living = (self.beta + age) * longer * special.exprel((1 - self.s) * longer)
        rate = (self.r + frequency) / (self.alpha + age)
        return np.asarray(self.p_alive(frequency, recency, age) * rate * living, np.float64)

    def _leaves_first(self, frequency: Integers, time: Floats) -> Floats:
        return _Leaving(self, frequency, time, gradient=False).chance


def _log_quiet(model: ParetoNbd, x: Integers, recency: Floats, age: Floats) -> Floats:
    """Log of the chance that who is alive at the last purchase neither buys nor leaves until now."""
    bought = (model.r + x) * np.log((model.alpha + age) / (model.alpha + recency))
    return np.asarray(-bought - model.s * np.log((model.beta + age) / (model.beta + recency)), np.float64)


class _Leaving:
    """q = s * integral over v > 0 of (1 + v / ratio)^-(r + x) (1 + v)^-(s + 1), ratio = (alpha + t) / (beta + t).

    Attributes:
        chance: q.
        by_r, by_s, by_alpha, by_beta: its derivatives, if asked for.
    """

    def __init__(self, model: ParetoNbd, x: Integers, time: Floats, *, gradient: bool) -> None:
        pairs, which = np.unique(np.column_stack([x, time]), axis=0, return_inverse=True)
        which = which.reshape(-1)
        parts = [self._of(model, part, gradient) for part in np.array_split(pairs, -(-len(pairs) // CHUNK) or 1)]
        columns = [np.concatenate(column)[which] for column in zip(*parts, strict=True)]
        self.chance = columns[0]
        if gradient:
            self.by_r, self.by_s, self.by_alpha, self.by_beta = columns[1:]

    @staticmethod
    def _of(model: ParetoNbd, pairs: Floats, gradient: bool) -> tuple[Floats, ...]:
        shape, time, s = model.r + pairs[:, :1], pairs[:, 1:], model.s
        log_ratio = np.log(model.alpha + time) - np.log(model.beta + time)
        if not len(pairs):
            return (np.empty(0),) * (5 if gradient else 1)
        low = min(0.0, float(log_ratio.min())) - np.log1p(float(shape.max()) + s)
        at, weights = nodes(low, max(0.0, float(log_ratio.max())), 1.0, float(shape.min()) + s)
        grown = np.logaddexp(0, at)
        # log(1 + v / ratio)
        bought = np.logaddexp(0, at - log_ratio)
        density = np.exp(at + np.log(s * weights) - (s + 1) * grown - shape * bought)
        chance = np.minimum(density.sum(axis=1), 1.0)
        if not gradient:
            return (chance,)
        by_r = -(density * bought).sum(axis=1)
        by_s = chance / s - density @ grown
        by_log_ratio = shape[:, 0] * (density * -np.expm1(-bought)).sum(axis=1)
        by_alpha = by_log_ratio / (model.alpha + time[:, 0])
        return chance, by_r, by_s, by_alpha, -by_log_ratio / (model.beta + time[:, 0])


def fit(purchases: Purchases) -> Fit:
    """Fit by maximum likelihood; time is measured in mean ages, so the unit of the statistics does not matter."""
    total, groups = purchases.total, len(purchases.customers)
    unfitted = Fit(ParetoNbd.name, "purchases", total, groups, message=too_few(total, purchases.repeaters))
    if unfitted.message:
        return unfitted
    x, share = purchases.frequency, purchases.customers / total
    unit = float(purchases.age @ share) or 1.0
    recency, age = purchases.recency / unit, purchases.age / unit
    constant = -float(x @ share) * np.log(unit)

    def likelihood(point: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = np.exp(point)
        model = ParetoNbd(r, alpha, s, beta)
        last, now = (_Leaving(model, x, time, gradient=True) for time in (recency, age))
        quiet = np.exp(_log_quiet(model, x, recency, age))
        shape, bought, lived = r + x, np.log(alpha + recency), np.log(beta + recency)
        whole = last.chance + quiet * (1 - now.chance)
        each = special.gammaln(shape) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        each += np.log(whole) - shape * bought - s * lived
        alive = quiet / whole
        stays = alive * (1 - now.chance)
        by_r = special.digamma(shape) - special.digamma(r) + np.log(alpha) - bought
        by_r += last.by_r / whole - stays * (np.log(alpha + age) - bought) - alive * now.by_r
        by_alpha = r / alpha - shape / (alpha + recency) + last.by_alpha / whole - alive * now.by_alpha
        by_alpha -= stays * shape * (1 / (alpha + age) - 1 / (alpha + recency))
        by_s = np.log(beta) - lived + last.by_s / whole - stays * (np.log(beta + age) - lived) - alive * now.by_s
        by_beta = s / beta - s / (beta + recency) + last.by_beta / whole - alive * now.by_beta
        by_beta -= stays * s * (1 / (beta + age) - 1 / (beta + recency))
        by = [r * (by_r @ share), alpha * (by_alpha @ share), s * (by_s @ share), beta * (by_beta @ share)]
        return float(each @ share) + constant, np.array(by)

    starts = ((1.0, 1.0, 1.0, 1.0), (0.5, 0.3, 0.6, 0.4), (3.0, 0.3, 0.3, 2.0))
    return maximise(unfitted, likelihood, ("r", "alpha", "s", "beta"), starts, (1.0, unit, 1.0, unit))
