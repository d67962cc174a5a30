"""What CDNOW's customers are worth: loaded through the product, counted by SQL, against pandas on the raw file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from dagster_project.clv import artefact, bg_nbd, pareto_nbd
from dagster_project.clv.statistics import Purchases, Statistics, from_warehouse
from tests.support.buyers import cdnow_file, grouped
from tests.support.installation import Installation

pytestmark = pytest.mark.long
CALIBRATION = "1997-09-30"


def days_of_purchase(up_to: str) -> pd.DataFrame:
    """Customer, day and ten-thousandths of a dollar, a row a customer and day, from the file as it stands."""
    names = ["customer", "day", "cds", "dollars"]
    file = cdnow_file("CDNOW_master.txt")
    lines = pd.read_csv(file, sep=r"\s+", header=None, skiprows=1, names=names, dtype=str)
    lines["day"] = pd.to_datetime(lines["day"], format="%Y%m%d")
    lines["amount"] = lines["dollars"].str.replace(".", "").astype(np.int64) * 100
    return lines[lines["day"] <= up_to].groupby(["customer", "day"], as_index=False)["amount"].sum()


def expected(days: pd.DataFrame) -> tuple[Purchases, pd.DataFrame]:
    """The groups of purchases, and of values as (days, amount, customers)."""
    seen = days.groupby("customer")["day"].agg(["min", "max", "count"])
    recency, age = ((later - seen["min"]).dt.days for later in (seen["max"], days["day"].max()))
    first = days["customer"].map(seen["min"])
    repeats = days[(days["day"] > first) & (days["amount"] > 0)].groupby("customer")["amount"].agg(["count", "sum"])
    paid = repeats.reindex(seen.index, fill_value=0)
    values = paid.value_counts().reset_index(name="customers").sort_values(["count", "sum"])
    return grouped((seen["count"] - 1).to_numpy(), recency.to_numpy(), age.to_numpy()), values


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The 39 weeks that the authors fit on."""
    cdnow_file("CDNOW_master.txt")
    folder = tmp_path_factory.mktemp("clv")
    home = Installation(folder / "home", folder / "none")
    home.env = {"CLIENTELE_SOURCES": "cdnow", "CLIENTELE_FIRST_DATE": "1997-01-01"}
    home.data.mkdir()
    home.load(CALIBRATION)
    return home


@pytest.fixture(scope="module")
def counted(nights: Installation) -> Statistics:
    with duckdb.connect(str(nights.warehouse.resolve()), read_only=True) as con:
        return from_warehouse(con)


def test_the_groups_are_those_of_the_file(counted: Statistics) -> None:
    purchases, values = expected(days_of_purchase(CALIBRATION))
    assert counted.as_of.isoformat() == CALIBRATION
    for name in ("frequency", "recency", "age", "customers"):
        np.testing.assert_array_equal(getattr(counted.purchases, name), getattr(purchases, name))
    for name, theirs in (("days", "count"), ("amount", "sum"), ("customers", "customers")):
        np.testing.assert_array_equal(getattr(counted.values, name), values[theirs].to_numpy())
    assert counted.purchases.total == 23_570


def test_a_tenth_of_the_customers_are_like_all(counted: Statistics) -> None:
    """The published sample is every tenth customer: all of them are fitted within its standard errors."""
    for fit, published in (
        (bg_nbd.fit, {"r": 0.243, "alpha": 4.414 * 7, "a": 0.793, "b": 2.426}),
        (pareto_nbd.fit, {"r": 0.553, "alpha": 10.578 * 7, "s": 0.606, "beta": 11.669 * 7}),
    ):
        found = fit(counted.purchases)
        assert found.converged, found.message
        for name, value in published.items():
            # the sample is ten times smaller
            error = found.standard_errors[name] * np.sqrt(10)
            assert abs(found.parameters[name] - value) < 3 * error, (found.model, name, found.parameters[name], error)


def test_what_was_expected_of_the_next_39_weeks_came(counted: Statistics) -> None:
    """By the half of the time that was not fitted, for those who had come back twice and more.

    Of those who had never or once the model expects too little of CDNOW, as the walk-through of BTYD shows, too.
    """
    days = days_of_purchase("1998-06-30")
    later = days[days["day"] > CALIBRATION].groupby("customer").size()
    before = days[days["day"] <= CALIBRATION].groupby("customer").size() - 1
    actual = later.reindex(before.index, fill_value=0)
    known = counted.purchases
    model = pareto_nbd.ParetoNbd(**pareto_nbd.fit(known).parameters)
    told = model.expected_purchases(known.frequency, known.recency, known.age, 273.0) * known.customers
    for least, most in ((2, 3), (4, 6), (7, 100)):
        of_these = told[(known.frequency >= least) & (known.frequency <= most)].sum()
        assert of_these == pytest.approx(actual[before.between(least, most)].sum(), rel=0.12), (least, most)


def test_the_fit_lands_beside_the_releases_and_each_customer_finds_a_score(
    nights: Installation, tmp_path: Path
) -> None:
    with duckdb.connect(str(nights.warehouse.resolve()), read_only=True) as con:
        landed = artefact.fit_warehouse(con, tmp_path, "load-1")
        scored = con.execute(
            f"select model, sum(customers), min(p_alive) >= 0, max(p_alive) <= 1"
            f" from '{landed.folder / artefact.PURCHASES}' group by 1 order by 1"
        ).fetchall()
    assert scored == [(model, 23_570, True, True) for model in ("bg_nbd", "fallback", "pareto_nbd")]
