"""The models against their definitions: integrated numerically, simulated, and at the ends of every range."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from dagster_project.clv import bg_nbd, gamma_gamma, pareto_nbd
from dagster_project.clv.bg_nbd import BgNbd
from dagster_project.clv.fallback import FallbackPurchases, FallbackValue
from dagster_project.clv.fitting import Fit
from dagster_project.clv.gamma_gamma import GammaGamma
from dagster_project.clv.pareto_nbd import ParetoNbd
from dagster_project.clv.quadrature import STEP
from dagster_project.clv.statistics import Floats, Integers
from dagster_project.clv.worth import PurchaseModel
from tests.support import buyers

BG = BgNbd(0.243, 4.414, 0.793, 2.426)
PARETO = ParetoNbd(0.5534, 10.5802, 0.6061, 11.6562)
# never back; last seen now; long ago; once, at once; often
CUSTOMERS = [(0, 0.0, 38.86), (2, 38.86, 38.86), (7, 12.0, 38.86), (1, 0.14, 30.0), (26, 30.86, 31.0)]


def one(frequency: int, recency: float, age: float) -> tuple[Integers, Floats, Floats]:
    return np.array([frequency]), np.array([recency]), np.array([age])


# Logarithms of rates, log odds of chances: every integrand here is smooth in them and vanishes at both ends.
LINE = np.linspace(-100, 25, 1251)
RATE, OTHER = np.meshgrid(np.exp(LINE), LINE, indexing="ij")
Surface = npt.NDArray[np.float64]


def integral(surface: Surface) -> float:
    """Over the logarithm of the purchase rate and the line of the other, by Simpson's rule."""
    return float(integrate.simpson(integrate.simpson(surface, x=LINE), x=LINE))


class TestDefinitions:
    """Bayes' rule on the stories the models tell, with rates and chances to leave integrated out."""

    @pytest.mark.parametrize(("model", "time"), [(BG, 39.0), (BgNbd(1.2, 6.0, 1.0, 3.0), 100.0)])
    @pytest.mark.parametrize("customer", CUSTOMERS)
    def test_bg_nbd(self, model: BgNbd, time: float, customer: tuple[int, float, float]) -> None:
        x, recency, age = customer
        leaves, stays = special.expit(OTHER), special.expit(-OTHER)
        prior = stats.gamma.pdf(RATE, model.r, scale=1 / model.alpha) * RATE
        prior *= leaves**model.a * stays**model.b / special.beta(model.a, model.b)
        alive = prior * (stays * RATE) ** x * np.exp(-RATE * age)
        # left after the last purchase, so the silence since says nothing of the rate
        gone = prior * leaves * stays ** (x - 1) * RATE**x * np.exp(-RATE * recency) if x else np.zeros_like(prior)
        whole = integral(alive) + integral(gone)
        assert model.p_alive(*one(*customer))[0] == pytest.approx(integral(alive) / whole, rel=1e-6)
        later = integral(alive * -np.expm1(-RATE * leaves * time) / leaves) / whole
        assert model.expected_purchases(*one(*customer), time)[0] == pytest.approx(later, rel=1e-6)

    @pytest.mark.parametrize(("model", "time"), [(PARETO, 52.0), (ParetoNbd(1.3, 9.0, 1.0, 40.0), 100.0)])
    @pytest.mark.parametrize("customer", CUSTOMERS)
    def test_pareto_nbd(self, model: ParetoNbd, time: float, customer: tuple[int, float, float]) -> None:
        x, recency, age = customer
        leaves = np.exp(OTHER)
        both = RATE + leaves
        prior = stats.gamma.pdf(RATE, model.r, scale=1 / model.alpha) * RATE
        prior *= stats.gamma.pdf(leaves, model.s, scale=1 / model.beta) * leaves
        alive = prior * RATE**x * np.exp(-both * age)
        # left at some time of the silence
        gone = prior * RATE**x * leaves / both * np.exp(-both * recency) * -np.expm1(-both * (age - recency))
        whole = integral(alive) + integral(gone)
        assert model.p_alive(*one(*customer))[0] == pytest.approx(integral(alive) / whole, rel=1e-6)
        later = integral(alive * RATE / leaves * -np.expm1(-leaves * time)) / whole
        assert model.expected_purchases(*one(*customer), time)[0] == pytest.approx(later, rel=1e-6)

    @pytest.mark.parametrize(("days", "amount"), [(0, 0.0), (1, 4.5), (5, 400.0)])
    def test_gamma_gamma(self, days: int, amount: float) -> None:
        model = GammaGamma(6.25, 3.74, 15.44)

        def weight(rate: float) -> float:
            seen = stats.gamma.pdf(amount, model.p * days, scale=1 / rate) if days else 1.0
            return float(stats.gamma.pdf(rate, model.q, scale=1 / model.gamma) * seen)

        whole = integrate.quad(weight, 0, np.inf)[0]
        expected = integrate.quad(lambda rate: weight(rate) * model.p / rate, 0, np.inf)[0] / whole
        assert model.expected_value(np.array([days]), np.array([amount]))[0] == pytest.approx(expected, rel=1e-6)


def assert_recovered(found: Fit, true: dict[str, float]) -> None:
    assert found.converged, found.message
    for name, value in true.items():
        assert abs(found.parameters[name] - value) < 4 * found.standard_errors[name], (name, found)


BG_LIKE = {"r": 0.8, "alpha": 6.0, "a": 0.9, "b": 2.5}
PARETO_LIKE = {"r": 0.9, "alpha": 8.0, "s": 0.7, "beta": 15.0}


class TestSimulated:
    """Customers that behave as a model says are told as they are."""

    def test_bg_nbd_parameters_are_recovered(self) -> None:
        shop = buyers.like_bg_nbd(**BG_LIKE, customers=20_000, later=1, seed=3)
        found = bg_nbd.fit(buyers.listed(shop.frequency, shop.recency, shop.age))
        assert_recovered(found, BG_LIKE)

    def test_pareto_nbd_parameters_are_recovered(self) -> None:
        shop = buyers.like_pareto_nbd(**PARETO_LIKE, customers=20_000, later=1, seed=4)
        found = pareto_nbd.fit(buyers.listed(shop.frequency, shop.recency, shop.age))
        assert_recovered(found, PARETO_LIKE)

    def test_gamma_gamma_parameters_are_recovered(self) -> None:
        true = {"p": 4.0, "q": 5.0, "gamma": 60.0}
        values, means = buyers.like_gamma_gamma(**true, customers=20_000, seed=5)
        found = gamma_gamma.fit(values)
        assert_recovered(found, true)
        told = GammaGamma(**found.parameters).expected_value(values.days, values.money)
        assert told.mean() == pytest.approx(means.mean(), rel=0.02)

    @pytest.mark.parametrize("kind", ["bg_nbd", "pareto_nbd"])
    def test_who_is_alive_and_what_follows_are_as_told(self, kind: str) -> None:
        model: PurchaseModel
        if kind == "bg_nbd":
            model, shop = BgNbd(**BG_LIKE), buyers.like_bg_nbd(**BG_LIKE, customers=200_000, later=40, seed=6)
        else:
            model = ParetoNbd(**PARETO_LIKE)
            shop = buyers.like_pareto_nbd(**PARETO_LIKE, customers=200_000, later=40, seed=7)
        known = shop.frequency, shop.recency, shop.age
        alive, later = model.p_alive(*known), model.expected_purchases(*known, 40)
        silent = (shop.age - shop.recency) / shop.age
        bands = np.minimum(shop.frequency, 6) * 3 + np.digitize(silent, [0.3, 0.7])
        for band in np.unique(bands):
            chosen = bands == band
            for told, seen in ((alive, shop.alive), (later, shop.later)):
                gap = seen[chosen] - told[chosen]
                error = gap.std() / np.sqrt(chosen.sum())
                assert abs(gap.mean()) <= 5 * error + 1e-12, (band, gap.mean(), error)


class TestFits:
    def test_grouping_changes_nothing(self) -> None:
        shop = buyers.like_bg_nbd(**BG_LIKE, customers=3_000, later=1, seed=8)
        known = shop.frequency, np.ceil(shop.recency), np.ceil(shop.age)
        for fit in (bg_nbd.fit, pareto_nbd.fit):
            one, other = fit(buyers.grouped(*known)), fit(buyers.listed(*known))
            assert one.groups < other.groups
            assert one.parameters == pytest.approx(other.parameters, rel=1e-7)
            assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12)

    def test_the_unit_of_time_changes_nothing_but_the_scale(self) -> None:
        shop = buyers.like_pareto_nbd(**PARETO_LIKE, customers=3_000, later=1, seed=9)
        weeks = pareto_nbd.fit(buyers.listed(shop.frequency, shop.recency, shop.age))
        days = pareto_nbd.fit(buyers.listed(shop.frequency, shop.recency * 7, shop.age * 7))
        scaled = {name: value * (7 if name in {"alpha", "beta"} else 1) for name, value in weeks.parameters.items()}
        assert days.parameters == pytest.approx(scaled, rel=1e-6)
        assert weeks.log_likelihood is not None
        shift = shop.frequency.sum() * math.log(7)
        assert days.log_likelihood == pytest.approx(weeks.log_likelihood - shift, rel=1e-10)

    @pytest.mark.parametrize("fit", [bg_nbd.fit, pareto_nbd.fit])
    @pytest.mark.parametrize("customers", [0, 1, 49])
    def test_too_few_customers_are_not_fitted(self, fit: Callable[..., Fit], customers: int) -> None:
        many = np.ones(customers, np.int64)
        found = fit(buyers.listed(many * 2, many * 3.0, many * 5.0))
        assert not found.converged
        assert found.message.startswith("too few customers")
        assert not found.parameters

    @pytest.mark.parametrize("fit", [bg_nbd.fit, pareto_nbd.fit])
    def test_customers_who_never_leave_hold_no_leaving(self, fit: Callable[..., Fit]) -> None:
        """All buy as often and were here yesterday: a model of leaving has nothing to learn from."""
        x = np.arange(40, 140)
        found = fit(buyers.listed(x, np.full(100, 99.0), np.full(100, 100.0)))
        assert not found.converged
        assert found.message.startswith(("not identifiable", "not converged"))
        assert not found.standard_errors
        assert found.log_likelihood is not None
        assert np.isfinite(found.log_likelihood)

    @pytest.mark.parametrize("fit", [bg_nbd.fit, pareto_nbd.fit])
    def test_customers_of_today_hold_nothing(self, fit: Callable[..., Fit]) -> None:
        nothing = np.zeros(500)
        found = fit(buyers.listed(nothing.astype(np.int64), nothing, nothing))
        assert not found.converged
        assert "too few" in found.message

    def test_values_that_are_all_equal_have_no_spread_to_fit(self) -> None:
        values = buyers.Values(np.full(100, 2), np.full(100, 200_000), np.ones(100, np.int64))
        found = gamma_gamma.fit(values)
        assert not found.converged
        assert found.message.startswith("not identifiable")


log_parameter = st.floats(-6.5, 6.5).map(math.exp)
customer = st.tuples(st.integers(0, 3000), st.floats(0, 1), st.floats(0, 4000))


def known(customer: tuple[int, float, float]) -> tuple[int, float, float]:
    x, share, age = customer
    return (x, share * age, age) if x and share * age else (0, 0.0, age)


def _finer(nodes: Callable[..., tuple[Floats, Floats]], *args: float) -> tuple[Floats, Floats]:
    limits, step = args[:4], args[4] if len(args) > 4 else STEP
    return nodes(*limits, step * 0.37)


class TestRanges:
    """Whatever the parameters and customers, scores are probabilities and counts, and later is better."""

    @given(st.sampled_from([BgNbd, ParetoNbd]), st.tuples(*[log_parameter] * 4), customer, st.floats(0.01, 3000))
    def test_scores_are_in_range(
        self,
        kind: type[BgNbd] | type[ParetoNbd],
        parameters: tuple[float, float, float, float],
        customer: tuple[int, float, float],
        time: float,
    ) -> None:
        model, (x, recency, age) = kind(*parameters), known(customer)
        with np.errstate(all="raise", under="ignore"):
            alive = model.p_alive(*one(x, recency, age))[0]
            soon, late = (model.expected_purchases(*one(x, recency, age), t)[0] for t in (time, 2 * time))
        assert 0 <= alive <= 1
        assert 0 <= soon <= late * (1 + 1e-9)
        # who is alive all along buys at the rate seen
        rate = (model.r + x) / (model.alpha + age)
        assert late <= alive * rate * 2 * time * (1 + 1e-9)

    @given(
        st.sampled_from([BG, PARETO, FallbackPurchases(12.0)]),
        st.integers(1, 300),
        st.floats(1, 2000),
        st.floats(0.001, 1),
        st.floats(0.001, 1),
    )
    def test_the_more_lately_seen_is_the_more_likely_alive(
        self, model: PurchaseModel, x: int, age: float, one_share: float, other_share: float
    ) -> None:
        earlier, later = sorted((one_share * age, other_share * age))
        assert model.p_alive(*one(x, earlier, age))[0] <= model.p_alive(*one(x, later, age))[0] + 1e-12

    @pytest.mark.parametrize("kind", [BgNbd, ParetoNbd])
    def test_a_finer_step_changes_nothing(
        self, kind: type[BgNbd] | type[ParetoNbd], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rng = np.random.default_rng(12)
        module = bg_nbd if kind is BgNbd else pareto_nbd
        finer = partial(_finer, module.nodes)
        for _ in range(300):
            model = kind(*np.exp(rng.uniform(-6, 6, 4)))
            x, age, time = rng.geometric(0.01) - 1, math.exp(rng.uniform(-3, 8)), math.exp(rng.uniform(-3, 8))
            asked = (*one(*known((int(x), rng.uniform(), age))), time)
            coarse = model.expected_purchases(*asked)
            with monkeypatch.context() as patched:
                patched.setattr(module, "nodes", finer)
                np.testing.assert_allclose(coarse, model.expected_purchases(*asked), rtol=1e-10)

    @given(customer, st.floats(1, 1e4))
    def test_the_fall_back_is_in_range(self, customer: tuple[int, float, float], gap: float) -> None:
        x, recency, age = known(customer)
        model = FallbackPurchases(gap)
        assert 0 <= model.p_alive(*one(x, recency, age))[0] <= 1
        assert 0 <= model.expected_purchases(*one(x, recency, age), 365.25)[0] < np.inf

    def test_the_fall_back_is_as_documented(self) -> None:
        """Everybody's gap 10; three purchases in 30 days: a gap of 10, 30 days of silence halve."""
        model = FallbackPurchases(10.0)
        assert model.p_alive(*one(3, 30.0, 60.0)) == pytest.approx(0.5)
        assert model.expected_purchases(*one(3, 30.0, 60.0), 20.0) == pytest.approx(0.5 * 20 / 10)
        assert FallbackValue(8.0).expected_value(np.array([3]), np.array([40.0])) == pytest.approx(12.0)
