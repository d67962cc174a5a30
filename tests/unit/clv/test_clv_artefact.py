"""A fit lands whole or not at all, is found again, and is joined by SQL exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from dagster_project.clv import artefact, worth
from dagster_project.clv.artefact import Artefact, fit_warehouse, known
from dagster_project.clv.statistics import CUSTOMERS, DAYS, from_warehouse
from dagster_project.clv.worth import Horizon
from dagster_project.errors import LoadError

FIRST = date(2020, 1, 1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of 400 customers who buy at rates of their own and leave some day."""
    rng = np.random.default_rng(11)
    path = tmp_path_factory.mktemp("shop") / "warehouse.duckdb"
    orders = []
    for customer in range(1, 401):
        first, gap, left = int(rng.integers(0, 60)), rng.gamma(1.5, 20) + 2, rng.exponential(150)
        day = float(first)
        while day < min(first + left, 240) or day == first:
            orders.append((FIRST + timedelta(days=int(day)), customer, round(float(rng.gamma(3, 8)), 2)))
            day += rng.exponential(gap)
    columns = dict(zip(("order_date", "mastered_customer_key", "net_sales"), zip(*orders, strict=True), strict=True))
    lines = pd.DataFrame(columns)
    with duckdb.connect(str(path)) as con:
        con.register("lines", lines)
        con.execute("create schema cube")
        con.execute(
            "create table cube.sales_orders as select cast(order_date as date) as order_date, mastered_customer_key,"
            " cast(net_sales as decimal(19, 4)) as net_sales from lines"
        )
    return path


@pytest.fixture
def con(shop: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(shop), read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def landed(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    with duckdb.connect(str(shop), read_only=True) as opened:
        return fit_warehouse(opened, tmp_path_factory.mktemp("home"), "load-1")


def table(landed: Artefact, name: str) -> str:
    return f"read_parquet('{landed.folder / name}')"


def test_every_fit_is_told_and_one_of_each_kind_is_chosen(con: duckdb.DuckDBPyConnection, landed: Artefact) -> None:
    fits = table(landed, artefact.FITS)
    told = con.execute(f"select role, model, converged, customers from {fits} order by all").fetchall()
    assert [row[:3] for row in told] == [
        ("purchases", "bg_nbd", True), ("purchases", "fallback", False), ("purchases", "pareto_nbd", True),
        ("value", "fallback", False), ("value", "gamma_gamma", True),
    ]  # fmt: skip
    likeliest = con.execute(
        f"select model from {fits} where role = 'purchases' and converged order by log_likelihood desc limit 1"
    ).fetchall()[0][0]
    chosen = con.execute(f"select role, model from {fits} where is_chosen order by role").fetchall()
    assert chosen == [("purchases", likeliest), ("value", "gamma_gamma")]
    assert (landed.manifest.purchases, landed.manifest.values) == (likeliest, "gamma_gamma")
    errors = con.execute(
        f"select count(*) from {table(landed, artefact.PARAMETERS)}"
        " where (model = 'fallback') = (standard_error is not null)"
    ).fetchall()
    assert errors == [(0,)]


def test_each_customer_finds_one_score_of_each_model(shop: Path, landed: Artefact) -> None:
    """As a model of dbt joins them: by the statistics as of the artefact's day."""
    with duckdb.connect() as con:
        con.execute(f"attach '{shop}' as shop (read_only)")
        con.execute("create schema cube")
        con.execute("create view cube.sales_orders as from shop.cube.sales_orders")
        con.execute(DAYS)
        con.execute(CUSTOMERS)
        found = con.execute(f"""
            with
            paid as (
                select c.mastered_customer_key, count(d.order_date) as days, coalesce(sum(d.net_sales), 0) as amount
                from clv_customers as c
                left join clv_days as d
                    on d.mastered_customer_key = c.mastered_customer_key
                    and d.order_date > c.first_date and d.net_sales > 0
                group by 1
            ),
            joined as (
                select c.mastered_customer_key, count(distinct s.model) as models, count(*) as scores,
                    count(distinct v.model) as value_models, min(p_alive) as least, max(p_alive) as most
                from clv_customers as c
                left join {table(landed, artefact.PURCHASES)} as s
                    on c.frequency = s.frequency
                    and c.last_date - c.first_date = s.recency_days
                    and date '{landed.manifest.as_of}' - c.first_date = s.age_days
                left join paid using (mastered_customer_key)
                left join {table(landed, artefact.VALUES)} as v
                    on paid.days = v.value_days and paid.amount = v.value_amount
                group by 1
            )
            select count(*), min(models), max(models), min(value_models), max(value_models), min(scores), max(scores),
                min(least) >= 0, max(most) <= 1
            from joined
        """).fetchall()
    assert found == [(400, 3, 3, 2, 2, 6, 6, True, True)]


def test_scores_are_those_of_the_parameters_written(con: duckdb.DuckDBPyConnection, landed: Artefact) -> None:
    parameters = dict(con.execute(
        f"select parameter, value from {table(landed, artefact.PARAMETERS)} where model = 'bg_nbd'"
    ).fetchall())  # fmt: skip
    x, recency, age, alive, year, worth_now = con.execute(
        "select frequency, recency_days, age_days, p_alive, expected_purchases_year, discounted_purchases"
        f" from {table(landed, artefact.PURCHASES)} where model = 'bg_nbd' order by frequency desc, age_days limit 1"
    ).fetchall()[0]
    model = worth.PURCHASES["bg_nbd"](**parameters)
    one = np.array([x]), np.array([float(recency)]), np.array([float(age)])
    assert alive == pytest.approx(model.p_alive(*one)[0])
    assert year == pytest.approx(model.expected_purchases(*one, 365.25)[0])
    by_month = [model.expected_purchases(*one, month * 365.25 / 12)[0] for month in range(37)]
    assert worth_now == pytest.approx(sum(np.diff(by_month) / 1.1 ** (np.arange(1, 37) / 12)))


def test_a_horizon_without_discount_counts_every_purchase(con: duckdb.DuckDBPyConnection) -> None:
    known = from_warehouse(con).purchases
    model = worth.PURCHASES["pareto_nbd"](r=0.6, alpha=20.0, s=0.6, beta=30.0)
    plain = worth.discounted_purchases(model, known, Horizon(12, 0.0))
    year = model.expected_purchases(known.frequency, known.recency, known.age, 365.25)
    np.testing.assert_allclose(plain, year)
    dear = worth.discounted_purchases(model, known, Horizon(12, 0.3))
    assert (dear < plain).all()
    assert (dear > plain / 1.3).all()


def test_the_same_statistics_are_not_fitted_twice(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    first = fit_warehouse(con, tmp_path, "load-1")
    written = {file.name: file.stat().st_mtime_ns for file in first.folder.iterdir()}
    assert fit_warehouse(con, tmp_path, "load-2") == first
    assert {file.name: file.stat().st_mtime_ns for file in first.folder.iterdir()} == written
    other = fit_warehouse(con, tmp_path, "load-3", Horizon(12, 0.2))
    assert other.folder != first.folder
    assert known(tmp_path) == [first, other]
    assert known(tmp_path, up_to="load-2") == [first]


def test_fits_of_one_warehouse_are_equal_to_the_byte(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    one, other = fit_warehouse(con, tmp_path / "one", "load-1"), fit_warehouse(con, tmp_path / "other", "load-1")
    for file in one.folder.iterdir():
        assert file.read_bytes() == (other.folder / file.name).read_bytes(), file.name


def test_the_newest_is_by_day_and_then_by_id(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """A backfill fits an older day later: it does not become the newest."""
    fitted = worth.fit(from_warehouse(con))
    late, early = artefact.write(fitted, tmp_path, "load-2"), artefact.write(fitted, tmp_path, "load-1")
    assert [one.folder for one in artefact.committed(tmp_path)] == [early.folder, late.folder]
    manifest = json.loads((early.folder / artefact.MANIFEST).read_text(encoding="utf-8"))
    manifest |= {"as_of": "2021-01-01"}
    (early.folder / artefact.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    found = known(tmp_path)[-1]
    assert found is not None
    assert found.folder == early.folder


def test_a_fit_that_dies_while_it_is_written_is_none(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = worth.fit(from_warehouse(con))

    def full(path: Path, text: str) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(artefact, "write_durably", full)
    with pytest.raises(OSError, match="no space"):
        artefact.write(fitted, tmp_path, "load-1")
    monkeypatch.undo()
    assert known(tmp_path) == []
    assert not list(artefact.root(tmp_path).iterdir())


def test_what_a_killed_fit_left_is_not_read_and_is_removed(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    kept = artefact.write(worth.fit(from_warehouse(con)), tmp_path, "load-1")
    killed = artefact.root(tmp_path) / ".write-2021-01-01-load-9"
    killed.mkdir()
    (killed / artefact.MANIFEST).write_bytes((kept.folder / artefact.MANIFEST).read_bytes())
    torn = artefact.root(tmp_path) / "2021-01-01-load-8"
    torn.mkdir()
    assert known(tmp_path) == [kept]
    assert artefact.remove_uncommitted(tmp_path) == [killed, torn]
    assert list(artefact.root(tmp_path).iterdir()) == [kept.folder]


def test_an_artefact_is_never_overwritten(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    fitted = worth.fit(from_warehouse(con))
    artefact.write(fitted, tmp_path, "load-1")
    with pytest.raises(LoadError, match="landed already"):
        artefact.write(fitted, tmp_path, "load-1")


def test_too_few_customers_get_the_fall_back_by_name(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        con.execute("create schema cube")
        con.execute(
            "create table cube.sales_orders as select * from (values"
            " (date '2020-01-01', 1, 10.0), (date '2020-01-11', 1, 20.0), (date '2020-01-21', 2, 30.0))"
            " as t (order_date, mastered_customer_key, net_sales)"
        )
        landed = fit_warehouse(con, tmp_path, "load-1")
        assert (landed.manifest.purchases, landed.manifest.values) == ("fallback", "fallback")
        models = con.execute(
            f"select distinct model from {table(landed, artefact.PURCHASES)}"
            f" union all select distinct model from {table(landed, artefact.VALUES)}"
        ).fetchall()
        assert models == [("fallback",), ("fallback",)]
        reasons = con.execute(
            f"select model, message from {table(landed, artefact.FITS)} where model <> 'fallback' order by all"
        ).fetchall()
        assert [model for model, _ in reasons] == ["bg_nbd", "gamma_gamma", "pareto_nbd"]
        assert all(message.startswith("too few customers") for _, message in reasons)
