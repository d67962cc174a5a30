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

from dagster_project.clv.fitting import Fit, maximise, mean, too_few
from dagster_project.clv.quadrature import nodes
from dagster_project.clv.statistics import Floats, Integers, Purchases

CHUNK = 8192  # pairs at a time: their nodes are held in memory
LARGEST_LOG = 600.0


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
        seen = _Seen(frequency, recency, age)
        before, now = seen.apart(_leaving(self, seen))
        return np.asarray(quiet / (before[0] + quiet * (1 - now[0])), np.float64)

    def expected_purchases(self, frequency: Integers, recency: Floats, age: Floats, time: float) -> Floats:
        """Purchases to be expected in the next `time`."""
        longer = np.log1p(time / (self.beta + age))
        # (1 - e^-(s - 1) l) / (s - 1), which has no pole at s = 1
        living = (self.beta + age) * longer * special.exprel((1 - self.s) * longer)
        rate = (self.r + frequency) / (self.alpha + age)
        return np.asarray(self.p_alive(frequency, recency, age) * rate * living, np.float64)


def _log_quiet(model: ParetoNbd, x: Integers, recency: Floats, age: Floats) -> Floats:
    """Log of the chance that who is alive at the last purchase neither buys nor leaves until now."""
    bought = (model.r + x) * np.log((model.alpha + age) / (model.alpha + recency))
    return np.asarray(-bought - model.s * np.log((model.beta + age) / (model.beta + recency)), np.float64)


class _Seen:
    """The distinct pairs of purchases and time customers were seen alive at, or would have been: few times are new."""

    def __init__(self, x: Integers, recency: Floats, age: Floats) -> None:
        pairs = np.column_stack([np.tile(x, 2), np.concatenate([recency, age])])
        distinct, which = np.unique(pairs, axis=0, return_inverse=True)
        self.x, self.time = distinct[:, :1], distinct[:, 1:]
        self.last, self.now = np.split(which.reshape(-1), 2)

    def apart(self, of_pairs: Floats) -> tuple[Floats, Floats]:
        """What is known of the pairs, a column each, by group: at the last purchase, and now."""
        return of_pairs[:, self.last], of_pairs[:, self.now]


def _leaving(model: ParetoNbd, seen: _Seen, *, gradient: bool = False) -> Floats:
    """q of each pair, and below it its derivatives by r, alpha, s and beta if they are asked for."""
    parts = -(-len(seen.x) // CHUNK)
    split = zip(np.array_split(seen.x, parts), np.array_split(seen.time, parts), strict=True)
    return np.concatenate([_leaving_part(model, x, time, gradient) for x, time in split], axis=1)


def _leaving_part(model: ParetoNbd, x: Floats, time: Floats, gradient: bool) -> Floats:
    """q = s * integral over v > 0 of (1 + v / ratio)^-(r + x) (1 + v)^-(s + 1), ratio = (alpha + t) / (beta + t)."""
    shape, s = model.r + x, model.s
    log_ratio = np.log(model.alpha + time) - np.log(model.beta + time)
    low = min(0.0, float(log_ratio.min())) - np.log1p(float(shape.max()) + s)
    at, weights = nodes(low, max(0.0, float(log_ratio.max())), 1.0, float(shape.min()) + s)
    grown = np.logaddexp(0, at)
    # log(1 + v / ratio); where v leaves the range of a double, the slower of two ways
    bought = np.logaddexp(0, at - log_ratio) if at[-1] > LARGEST_LOG else np.log1p(np.exp(at) / np.exp(log_ratio))
    density = np.exp(at + np.log(s * weights) - (s + 1) * grown - shape * bought)
    chance = np.minimum(density.sum(axis=1), 1.0)
    if not gradient:
        return np.stack([chance])
    by_log_ratio = shape[:, 0] * np.einsum("ij,ij->i", density, -np.expm1(-bought))
    by_r, by_s = -np.einsum("ij,ij->i", density, bought), chance / s - np.einsum("ij,j->i", density, grown)
    by_alpha, by_beta = (by_log_ratio / (scale + time[:, 0]) for scale in (model.alpha, model.beta))
    return np.stack([chance, by_r, by_alpha, by_s, -by_beta])


def fit(purchases: Purchases) -> Fit:
    """Fit by maximum likelihood; time is measured in mean ages, so the unit of the statistics does not matter."""
    total, groups = purchases.total, len(purchases.customers)
    unfitted = Fit(ParetoNbd.name, "purchases", total, groups, message=too_few(total, purchases.repeaters))
    if unfitted.message:
        return unfitted
    x, share = purchases.frequency, purchases.customers / total
    unit = mean(purchases.age, share) or 1.0
    recency, age = purchases.recency / unit, purchases.age / unit
    constant = -mean(x, share) * np.log(unit)

    seen = _Seen(x, recency, age)

    def likelihood(point: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = np.exp(point)
        model = ParetoNbd(r, alpha, s, beta)
        before, now = seen.apart(_leaving(model, seen, gradient=True))
        quiet = np.exp(_log_quiet(model, x, recency, age))
        shape, bought, lived = r + x, np.log(alpha + recency), np.log(beta + recency)
        whole = before[0] + quiet * (1 - now[0])
        each = special.gammaln(shape) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        each += np.log(whole) - shape * bought - s * lived
        by_r = special.digamma(shape) - special.digamma(r) + np.log(alpha) - bought
        by_alpha, by_beta = r / alpha - shape / (alpha + recency), s / beta - s / (beta + recency)
        by_s = np.log(beta) - lived
        by = np.stack([by_r, by_alpha, by_s, by_beta])
        # of `quiet`
        longer = np.log(alpha + age) - bought, 1 / (alpha + age) - 1 / (alpha + recency)
        lasting = np.log(beta + age) - lived, 1 / (beta + age) - 1 / (beta + recency)
        quieter = -np.stack([longer[0], shape * longer[1], lasting[0], s * lasting[1]])
        by += (before[1:] + quiet * ((1 - now[0]) * quieter - now[1:])) / whole
        return mean(each, share) + constant, np.exp(point) * (by * share).sum(axis=1)

    starts = ((1.0, 1.0, 1.0, 1.0), (0.5, 0.3, 0.6, 0.4), (3.0, 0.3, 0.3, 2.0))
    return maximise(unfitted, likelihood, ("r", "alpha", "s", "beta"), starts, (1.0, unit, 1.0, unit))
