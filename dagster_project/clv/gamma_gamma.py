"""Gamma-Gamma: what a purchase brings varies around the customer's own mean, and the means vary between customers.

Fader & Hardie 2013, The Gamma-Gamma Model of Monetary Value; Fader, Hardie & Lee 2005, RFM and CLV, Journal of
Marketing Research 42(4). A purchase is Gamma(p, nu), nu is Gamma(q, gamma). What a customer's purchases bring is taken
to be independent of how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy import special

from dagster_project.clv.fitting import Fit, maximise, mean, too_few
from dagster_project.clv.statistics import Floats, Integers, Values


@dataclass(frozen=True)
class GammaGamma:
    """The fitted model. Money is in the unit that `gamma` is in."""

    name: ClassVar[str] = "gamma_gamma"

    p: float
    q: float
    gamma: float

    def expected_value(self, days: Integers, amount: Floats) -> Floats:
        """What a purchase can be expected to bring, of a customer whose `days` paid purchases brought `amount`."""
        return self.p * (self.gamma + amount) / (self.p * days + self.q - 1)


def fit(values: Values) -> Fit:
    """Fit by maximum likelihood on the customers with a paid repeat day; money is measured in mean values."""
    paid = values.days > 0
    days, money, customers = values.days[paid], values.money[paid], values.customers[paid]
    total = int(customers.sum())
    unfitted = Fit(GammaGamma.name, "value", total, len(customers), message=too_few(total, total))
    if unfitted.message:
        return unfitted
    share = customers / total
    unit = mean(money / days, share)
    amount = money / unit
    constant = -np.log(unit) - mean(np.log(amount / days), share)
    by_amount = mean(days * np.log(amount), share)
    # the special functions take only the number of days: few distinct values
    distinct, which = np.unique(days, return_inverse=True)
    weight = np.bincount(which, share)

    def likelihood(point: Floats) -> tuple[float, Floats]:
        p, q, gamma = np.exp(point)
        shape, log_all = p * distinct, np.log(gamma + amount)
        sums = np.bincount(which, share * log_all)
        each = special.gammaln(shape + q) - special.gammaln(shape) - special.gammaln(q)
        total = (weight * each).sum() + q * np.log(gamma) + p * by_amount - (sums * (shape + q)).sum()
        joint = special.digamma(shape + q)
        by_p = (distinct * (weight * (joint - special.digamma(shape)) - sums)).sum() + by_amount
        by_q = (weight * joint).sum() - special.digamma(q) + np.log(gamma) - sums.sum()
        by_gamma = q / gamma - (np.bincount(which, share / (gamma + amount)) * (shape + q)).sum()
        return float(total) + constant, np.array([p * by_p, q * by_q, gamma * by_gamma])

    starts = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (0.5, 10.0, 10.0))
    found = maximise(unfitted, likelihood, ("p", "q", "gamma"), starts, (1.0, 1.0, unit))
    if found.converged and found.parameters["q"] <= 1:
        # nothing can be expected of a customer without a paid purchase
        return replace(found, converged=False, standard_errors={}, message="not identifiable: the mean is infinite")
    return found
