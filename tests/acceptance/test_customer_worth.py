"""Customers' worth through the product: fitted on what is served, landed, read by the next load, never refitted.

The data is the sample of CDNOW that Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, fit BG/NBD
and Pareto/NBD to: 2,357 customers, 39 weeks. They count in weeks, the warehouse in days: of the parameters only the
rates (alpha, beta) depend on that.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.support.installation import Installation, assert_same_tables

pytestmark = pytest.mark.long

END_OF_CALIBRATION = "1997-09-30"
CLV = "select parameter, value from mart.clv_parameter where model = '{model}'"


def _sample() -> list[str]:
    """Lines of the sample, in the form of the whole file; skips where the package is absent."""
    found = importlib.util.find_spec("lifetimes")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package lifetimes is not installed")
    folder = Path(next(iter(found.submodule_search_locations))) / "datasets"
    head = (folder / "CDNOW_master.txt").read_text().splitlines()[0]
    rows = [line.split() for line in (folder / "CDNOW_sample.txt").read_text().splitlines()]
    return [head, *(f" {id_} {day} {cds:>2} {float(money):>7.2f}" for id_, _, day, cds, money in rows if id_.isdigit())]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installation]:
    """The home before the fit, after it, a night on, and rebuilt then."""
    folder = tmp_path_factory.mktemp("worth")
    data = folder / "data"
    data.mkdir()
    (data / "CDNOW_master.txt").write_text("\n".join(_sample()) + "\n")
    home = Installation(folder / "home", folder / "none")
    home.data.mkdir()
    home.env = {"CLIENTELE_SOURCES": "cdnow", "CLIENTELE_FIRST_DATE": "1997-01-01", "CDNOW_DIR": str(data)}
    home.load(END_OF_CALIBRATION)
    found = {"before": home.copy(folder / "before")}
    home.run("fit")
    home.load(END_OF_CALIBRATION)
    found["after"] = home.copy(folder / "after")
    home.load("1997-10-07")
    found["night"] = home
    found["rebuilt"] = home.copy(folder / "rebuilt")
    found["rebuilt"].load("1997-10-07", "--rebuild")
    found["fitted again"] = home.copy(folder / "again")
    found["fitted again"].run("fit")
    found["fitted again"].load("1997-10-07")
    return found


def test_before_the_first_fit_customers_are_told_by_a_rule_that_says_so(fitted: dict[str, Installation]) -> None:
    before = fitted["before"]
    assert before.sql("select told_by, valued_by, count(*) from mart.mart_customer_value group by all") == [
        ("fallback", "fallback", 2357)
    ]
    assert before.sql("select count(*) from mart.clv_fit") == [(0,)]
    assert before.sql("select min(p_alive) >= 0, max(p_alive) <= 1 from mart.mart_customer_value") == [(True, True)]


@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("bg_nbd", {"r": 0.243, "alpha": 7 * 4.414, "a": 0.793, "b": 2.426}),
        ("pareto_nbd", {"r": 0.553, "alpha": 7 * 10.578, "s": 0.606, "beta": 7 * 11.669}),
        # Fader and Hardie 2013, The Gamma-Gamma Model of Monetary Value: 946 who bought again
        ("gamma_gamma", {"p": 6.25, "q": 3.74, "gamma": 15.44}),
    ],
)
def test_the_parameters_are_the_published_ones(
    fitted: dict[str, Installation], model: str, published: dict[str, float]
) -> None:
    found = dict(fitted["after"].sql(CLV.format(model=model)))
    assert found == pytest.approx(published, rel=0.01)


def test_each_customer_has_a_probability_a_value_and_what_told_them(fitted: dict[str, Installation]) -> None:
    after = fitted["after"]
    models = "select distinct told_by, valued_by, as_of_date::varchar from mart.mart_customer_value"
    (chosen,) = after.sql("select model from mart.clv_fit where role = 'purchases' and is_chosen")
    assert after.sql(models) == [(chosen[0], "gamma_gamma", END_OF_CALIBRATION)]
    assert after.sql(
        "select count(*), count(p_alive), count(expected_present_value) from mart.mart_customer_value"
    ) == [(2357, 2357, 2357)]
    assert after.sql("select sum(expected_present_value) from mart.mart_customer_value") == after.sql(
        "select expected_present_value from mart.mart_customer_equity where parted_by = 'all'"
    )


def test_probability_alive_is_the_formula_of_the_paper(fitted: dict[str, Installation]) -> None:
    """BG/NBD: 1 / (1 + a / (b + x - 1) ((alpha + T) / (alpha + t_x))^(r + x)), and 1 without a repeat (FHL 2008)."""
    after = fitted["after"]
    p = dict(after.sql(CLV.format(model="bg_nbd")))
    folder = next((after.home / "models" / "clv").iterdir())
    rows = after.sql(
        "select frequency, recency_days, age_days, p_alive from"
        f" read_parquet('{folder / 'purchases.parquet'}') where model = 'bg_nbd'"
    )
    assert len(rows) > 500
    for x, recency, age, p_alive in rows:
        odds = p["a"] / (p["b"] + x - 1) * ((p["alpha"] + age) / (p["alpha"] + recency)) ** (p["r"] + x) if x else 0
        assert p_alive == pytest.approx(1 / (1 + odds), rel=1e-9)


def test_the_same_customers_are_not_fitted_twice_and_a_load_never_fits(fitted: dict[str, Installation]) -> None:
    night = fitted["night"]
    assert len(list((night.home / "models" / "clv").iterdir())) == 1
    # who has ordered since is told as of the fit, as nothing before it changed
    assert night.sql("select distinct as_of_date::varchar from mart.mart_customer_value") == [(END_OF_CALIBRATION,)]
    again = fitted["after"].run("fit", "--json")
    assert '"as_of": "1997-09-30"' in again.out
    assert len(list((fitted["after"].home / "models" / "clv").iterdir())) == 1


def test_the_next_fit_closes_the_month_with_what_was_told_until_then(fitted: dict[str, Installation]) -> None:
    again = fitted["fitted again"]
    parts = "select part, customers, expected_present_value from mart.mart_customer_equity"
    months = (
        "select part, customers, expected_present_value from mart.mart_customer_equity_month"
        " where month_start_date = '{month}' and parted_by = '{parted_by}' order by all"
    )
    assert again.sql(
        "select month_start_date::varchar, as_of_date::varchar, told_by <> 'fallback'"
        " from mart.mart_customer_equity_month where parted_by = 'all' order by all"
    ) == [("1997-09-01", "1997-09-30", True), ("1997-10-01", "1997-10-07", True)]
    for parted_by in ("all", "rfm_segment"):
        where = f" where parted_by = '{parted_by}' order by all"
        closed, newest = (again.sql(months.format(month=f"1997-{m}-01", parted_by=parted_by)) for m in ("09", "10"))
        # September stays what the release before the second fit said, October is what is served
        assert closed == fitted["night"].sql(parts + where)
        assert newest == again.sql(parts + where)
        assert closed != newest


def test_a_rebuild_keeps_the_record_of_equity(fitted: dict[str, Installation]) -> None:
    rebuilt = fitted["fitted again"].copy(fitted["night"].home.parent / "again-rebuilt")
    rebuilt.load("1997-10-07", "--rebuild")
    assert_same_tables(fitted["fitted again"], rebuilt, ["mart"])


def test_a_row_of_the_360_names_its_release(fitted: dict[str, Installation]) -> None:
    for home in fitted.values():
        assert home.sql("select distinct load_id from mart.mart_customer_360") == home.sql(
            "select release from ops.release order by released_at desc limit 1"
        )


def test_a_rebuild_reads_the_same_fit(fitted: dict[str, Installation]) -> None:
    assert_same_tables(fitted["night"], fitted["rebuilt"], ["mart"])
