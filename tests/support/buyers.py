"""Customers for the models of worth: CDNOW as its authors summarised it, and such as behave as a model says."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dagster_project.clv.statistics import Floats, Integers, Purchases, Values


def cdnow_file(name: str) -> Path:
    """A file of the package lifetimes, read as data; skips the test where the package is absent."""
    found = importlib.util.find_spec("lifetimes")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package lifetimes is not installed")
    return Path(next(iter(found.submodule_search_locations))) / "datasets" / name


def grouped(frequency: Integers, recency: Floats, age: Floats) -> Purchases:
    frame = pd.DataFrame({"x": frequency, "recency": recency, "age": age})
    counted = frame.groupby(["x", "recency", "age"]).size().reset_index(name="customers")
    x, recency, age, customers = (counted[name].to_numpy() for name in counted.columns)
    return Purchases(x.astype(np.int64), recency.astype(float), age.astype(float), customers.astype(np.int64))


def listed(frequency: Integers, recency: Floats, age: Floats) -> Purchases:
    """A group for each customer."""
    return Purchases(frequency, recency, age, np.ones(len(frequency), np.int64))


def cdnow_purchases() -> Purchases:
    """The sample of 2,357 customers over 39 weeks, in weeks."""
    summary = pd.read_csv(cdnow_file("cdnow_customers_summary.csv"))
    return grouped(*(summary[name].to_numpy() for name in ("frequency", "recency", "T")))


def cdnow_values() -> Values:
    """What the repeat purchases of the sample brought on average, to the cent."""
    summary = pd.read_csv(cdnow_file("cdnow_customers_summary_with_transactions.csv"))
    amount = (summary["x"] * summary["zbar"] * 10_000).round().astype(np.int64)
    counted = pd.DataFrame({"days": summary["x"], "amount": amount}).value_counts(sort=False).reset_index()
    return Values(*(counted[name].to_numpy(np.int64) for name in ("days", "amount", "count")))


@dataclass(frozen=True)
class Simulated:
    """Customers watched for an age, and what they bought in a time after it."""

    frequency: Integers
    recency: Floats
    age: Floats
    alive: Integers
    later: Integers


def like_bg_nbd(r: float, alpha: float, a: float, b: float, customers: int, later: float, seed: int) -> Simulated:
    """Buy at random times until they leave after the purchase that a geometric number says."""
    rng = np.random.default_rng(seed)
    rate, leaving = rng.gamma(r, 1 / alpha, customers), rng.beta(a, b, customers)
    age = rng.uniform(10, 60, customers)
    last, chances = rng.geometric(leaving), rng.poisson(rate * age)
    bought = np.minimum(last, chances)
    # the n-th of N times that are uniform
    order = rng.beta(np.maximum(bought, 1), np.maximum(chances - bought, 0) + 1)
    alive = chances < last
    after = np.where(alive, np.minimum(rng.poisson(rate * later), last - bought), 0)
    recency = np.where(bought > 0, age * order, 0.0)
    return Simulated(bought, recency, age, alive.astype(np.int64), after)


def like_pareto_nbd(
    r: float, alpha: float, s: float, beta: float, customers: int, later: float, seed: int
) -> Simulated:
    """Buy at random times until they leave at a random time."""
    rng = np.random.default_rng(seed)
    rate, leaving = rng.gamma(r, 1 / alpha, customers), rng.gamma(s, 1 / beta, customers)
    age, left = rng.uniform(10, 60, customers), rng.exponential(1 / leaving)
    there = np.minimum(age, left)
    bought = rng.poisson(rate * there)
    recency = np.where(bought > 0, there * rng.uniform(size=customers) ** (1 / np.maximum(bought, 1)), 0.0)
    after = rng.poisson(rate * np.clip(left - age, 0, later))
    return Simulated(bought, recency, age, (left > age).astype(np.int64), after)


def like_gamma_gamma(p: float, q: float, gamma: float, customers: int, seed: int) -> tuple[Values, Floats]:
    """What customers' purchases brought, and the means of the customers they were drawn from."""
    rng = np.random.default_rng(seed)
    days, rate = rng.geometric(0.4, customers), rng.gamma(q, 1 / gamma, customers)
    amount = np.maximum(np.round(rng.gamma(p * days, 1 / rate) * 10_000), 1).astype(np.int64)
    return Values(days, amount, np.ones(customers, np.int64)), p / rate
