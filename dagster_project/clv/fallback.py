"""What is said of customers where no model could be fitted: a rule of thumb that names itself.

No probability model; its figures rank customers and keep a report filled, with `fallback` in the row.

- The usual gap of a customer is (recency + gap) / (frequency + 1): the own gaps, and one of everybody's, which is the
  time everybody was watched by the repeats everybody made (and one).
- Alive: half as likely for every three usual gaps of silence.
- Purchases go on at one a usual gap, as often as the customer is alive.
- A purchase brings the mean of the customer's paid repeat days, and of one of everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dagster_project.clv.fitting import Fit
from dagster_project.clv.statistics import Floats, Integers, Purchases, Values

PATIENCE = 3.0  # usual gaps of silence that halve the chance to be alive
RULE = "a rule of thumb, nothing was fitted"


@dataclass(frozen=True)
class FallbackPurchases:
    """Everybody's gap, in the unit of the statistics."""

    name: ClassVar[str] = "fallback"

    gap: float

    def p_alive(self, frequency: Integers, recency: Floats, age: Floats) -> Floats:
        return np.asarray(np.exp2(-(age - recency) / (PATIENCE * self._usual(frequency, recency))), np.float64)

    def expected_purchases(self, frequency: Integers, recency: Floats, age: Floats, time: float) -> Floats:
        return self.p_alive(frequency, recency, age) * time / self._usual(frequency, recency)

    def _usual(self, frequency: Integers, recency: Floats) -> Floats:
        return (recency + self.gap) / (frequency + 1)


@dataclass(frozen=True)
class FallbackValue:
    """Everybody's mean of a paid repeat day; 0 where nobody had one, as nothing repeats then."""

    name: ClassVar[str] = "fallback"

    mean: float

    def expected_value(self, days: Integers, amount: Floats) -> Floats:
        return (amount + self.mean) / (days + 1)


def of_purchases(purchases: Purchases) -> Fit:
    watched = float(purchases.age @ purchases.customers)
    repeats = int(purchases.frequency @ purchases.customers)
    # where nobody was watched for a unit of time, one unit
    gap = max(watched / (repeats + 1), 1.0)
    name = FallbackPurchases.name
    return Fit(name, "purchases", purchases.total, len(purchases.customers), {"gap": gap}, message=RULE)


def of_values(values: Values) -> Fit:
    days = int(values.days @ values.customers)
    mean = float(values.money @ values.customers) / days if days else 0.0
    groups, customers = len(values.customers), int(values.customers.sum())
    return Fit(FallbackValue.name, "value", customers, groups, {"mean": mean}, message=RULE)
