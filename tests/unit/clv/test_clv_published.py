"""The models give what their authors published for CDNOW: 2,357 customers over 39 weeks, in weeks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dagster_project.clv import bg_nbd, gamma_gamma, pareto_nbd
from dagster_project.clv.statistics import Floats, Integers, Purchases
from tests.support.buyers import cdnow_file, cdnow_purchases, cdnow_values, grouped


def one(frequency: int, recency: float, age: float) -> tuple[Integers, Floats, Floats]:
    return np.array([frequency]), np.array([recency]), np.array([age])


NEW = one(0, 0.0, 0.0)
# Customer 1516, the worked example of the walk-through of the R package BTYD (McCarthy & Wadsworth 2014).
WORKED = one(26, 30.86, 31.0)


@pytest.fixture(scope="module")
def purchases() -> Purchases:
    return cdnow_purchases()


def test_bg_nbd_parameters_and_likelihood_are_those_of_the_paper(purchases: Purchases) -> None:
    """Fader, Hardie & Lee 2005, "Counting Your Customers" the Easy Way, table 2."""
    found = bg_nbd.fit(purchases)
    assert found.converged
    assert (found.customers, found.groups) == (2357, len(purchases.customers))
    expected = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert found.parameters == pytest.approx(expected, abs=0.0006)
    assert found.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_pareto_nbd_parameters_and_likelihood_are_those_of_the_paper(purchases: Purchases) -> None:
    """The same table."""
    found = pareto_nbd.fit(purchases)
    assert found.converged
    expected = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}
    # the likelihood is flat in beta: theirs is 0.001 lower than this optimum's, and its standard error is 6
    assert found.parameters == pytest.approx(expected, abs=0.0015)
    assert found.log_likelihood == pytest.approx(-9595.0, abs=0.05)


def test_gamma_gamma_parameters_are_those_of_the_note() -> None:
    """Fader & Hardie 2013, The Gamma-Gamma Model of Monetary Value: 946 repeat buyers."""
    found = gamma_gamma.fit(cdnow_values())
    assert found.converged
    assert found.customers == 946
    assert found.parameters == pytest.approx({"p": 6.25, "q": 3.74, "gamma": 15.44}, abs=0.01)


def test_the_summary_files_are_the_sample_of_purchases() -> None:
    """The summaries fitted above are not taken on trust: they follow from the sample's purchases."""
    names = ["id", "sample", "day", "cds", "dollars"]
    bought = pd.read_csv(cdnow_file("CDNOW_sample.txt"), sep=r"\s+", header=None, names=names, dtype={"day": str})
    bought["day"] = pd.to_datetime(bought["day"], format="%Y%m%d")
    end = pd.Timestamp("1997-09-30")
    days = bought[bought["day"] <= end].groupby("sample")["day"].agg(["min", "max", "nunique"])
    weeks = [((later - days["min"]).dt.days / 7).round(2) for later in (days["max"], end)]
    counted = grouped(days["nunique"].to_numpy() - 1, weeks[0].to_numpy(), weeks[1].to_numpy())
    theirs = cdnow_purchases()
    for name in ("frequency", "recency", "age", "customers"):
        np.testing.assert_allclose(getattr(counted, name), getattr(theirs, name), atol=1e-9)


def test_bg_nbd_expectations_are_those_of_the_authors_spreadsheet(purchases: Purchases) -> None:
    """Hardie's workbook to the paper, as the test suite of the package lifetimes cites it."""
    model = bg_nbd.BgNbd(**bg_nbd.fit(purchases).parameters)
    assert model.expected_purchases(*one(2, 30.43, 38.86), 39)[0] == pytest.approx(1.226, abs=0.0005)
    by_week = {0.1429: 0.0078, 1.0: 0.0532, 3.0: 0.1506, 31.8571: 1.0405, 32.0: 1.0437, 78.0: 1.8576}
    for weeks, expected in by_week.items():
        assert model.expected_purchases(*NEW, weeks)[0] == pytest.approx(expected, abs=0.0005)


def test_bg_nbd_says_of_a_customer_what_btyd_says() -> None:
    """BTYD's walk-through, bgnbd.ConditionalExpectedTransactions: 25.76 in the next 52 weeks."""
    model = bg_nbd.BgNbd(0.243, 4.414, 0.793, 2.426)
    assert model.expected_purchases(*WORKED, 52)[0] == pytest.approx(25.76, abs=0.005)


def test_pareto_nbd_says_of_a_customer_what_btyd_says() -> None:
    """BTYD's walk-through: pnbd.Expectation, pnbd.ConditionalExpectedTransactions, pnbd.PAlive."""
    model = pareto_nbd.ParetoNbd(0.5534, 10.5802, 0.6061, 11.6562)
    assert model.expected_purchases(*NEW, 52)[0] == pytest.approx(1.473, abs=0.0005)
    assert model.expected_purchases(*WORKED, 52)[0] == pytest.approx(25.46, abs=0.006)
    assert model.p_alive(*WORKED)[0] == pytest.approx(0.9979, abs=0.00006)


def test_the_next_39_weeks_are_expected_as_btyd_expects_them(purchases: Purchases) -> None:
    """BTYD's walk-through, pnbd.PlotFreqVsConditionalExpectedFrequency: by frequency, 7 and more as one."""
    model = pareto_nbd.ParetoNbd(**pareto_nbd.fit(purchases).parameters)
    expected = model.expected_purchases(purchases.frequency, purchases.recency, purchases.age, 39)
    bins = np.minimum(purchases.frequency, 7)
    customers = np.bincount(bins, purchases.customers)
    assert customers.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    found = np.bincount(bins, purchases.customers * expected) / customers
    np.testing.assert_allclose(found, [0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403], atol=0.0016)


def test_expected_values_are_those_of_the_authors_spreadsheet() -> None:
    """Hardie's workbook to the note (brucehardie.com/notes/025), first ten customers, as lifetimes' tests cite it."""
    summary = pd.read_csv(cdnow_file("cdnow_customers_summary_with_transactions.csv")).head(10)
    model = gamma_gamma.GammaGamma(**gamma_gamma.fit(cdnow_values()).parameters)
    found = model.expected_value(summary["x"].to_numpy(), (summary["x"] * summary["zbar"]).to_numpy())
    expected = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    np.testing.assert_allclose(found, expected, atol=0.01)
