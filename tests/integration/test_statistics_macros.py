"""Quantiles, tails and hashed weights in SQL, against scipy and against what they should be distributed like."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest
from jinja2 import Environment
from scipy import stats

MACROS = (Path(__file__).resolve().parents[2] / "dbt" / "macros" / "statistics.sql").read_text(encoding="utf-8")


def rendered(expression: str) -> str:
    environment = Environment(extensions=["jinja2.ext.do"])
    return environment.from_string(MACROS + "{{ " + expression + " }}").render().strip()


def answers(expression: str, columns: str, rows: list[tuple[float, ...]]) -> np.ndarray:
    values = ", ".join("(" + ", ".join(f"cast({value!r} as double)" for value in row) + ")" for row in rows)
    query = f"select {rendered(expression)} from (values {values}) as asked ({columns})"
    return np.array([value for (value,) in duckdb.sql(query).fetchall()], dtype=float)


@pytest.mark.parametrize(
    ("low", "high", "error"), [(2, 3, 5e-4), (3, 3.5, 4e-6), (3.5, 5, 2e-7), (5, 10, 6e-8), (10, 1e6, 4e-9)]
)
def test_quantile_of_t_is_as_exact_as_said(low: float, high: float, error: float) -> None:
    freedom = np.geomspace(low, high, 500)[:-1]
    ours = answers("t_quantile('df')", "df", [(float(df),) for df in freedom])
    assert np.abs(ours / stats.t.ppf(0.975, freedom) - 1).max() <= error


def test_quantile_of_t_is_null_below_two_degrees_of_freedom() -> None:
    assert np.isnan(answers("t_quantile('df')", "df", [(1.99,), (1.0,)])).all()


@pytest.mark.parametrize(("freedom", "error"), [(5, 3e-4), (10, 3e-6), (100, 1e-6), (1e5, 1e-6)])
def test_tail_of_t_is_as_exact_as_said(freedom: float, error: float) -> None:
    distances = np.linspace(0.01, 4, 200)
    rows = [(float(t), freedom) for t in (*distances, *-distances)]
    ours = answers("two_tails(t_normal_deviate('t', 'df'))", "t, df", rows)
    theirs = 2 * stats.t.sf(np.abs([t for t, _ in rows]), freedom)
    assert np.abs(ours / theirs - 1).max() <= error


def test_hashed_weights_are_poisson_and_replicates_are_no_shifts_of_each_other() -> None:
    """4,096 places x 500 replicates: the spread of a correlation of n independent pairs is 1 / sqrt(n)."""
    relation = (
        "(select 1200000000 + p * 524287 % 900000000 as seed, r as replicate"
        " from range(4096) as places (p), range(1, 501) as replicates (r)) as tries"
    )
    numbered = rendered(f"with_random_numbers('{relation}', 'seed, replicate', 'seed', 'replicate')")
    weights = rendered("poisson_weight('random_number')")
    rows = duckdb.sql(f"select {weights} from {numbered} as numbered order by seed, replicate").fetchall()
    drawn = np.array(rows).reshape(4096, 500)
    assert drawn.mean() == pytest.approx(1, abs=4 / np.sqrt(drawn.size))
    seen = np.bincount(drawn.ravel(), minlength=6)[:6] / drawn.size
    assert seen == pytest.approx(stats.poisson.pmf(np.arange(6), 1), abs=0.002)
    of_replicates = np.corrcoef(drawn.T)[np.triu_indices(500, 1)]
    of_places = np.corrcoef(drawn[:500])[np.triu_indices(500, 1)]
    assert of_replicates.std() == pytest.approx(1 / np.sqrt(4096), rel=0.05)
    assert of_places.std() == pytest.approx(1 / np.sqrt(500), rel=0.05)
    assert np.abs(of_replicates).max() < 6 / np.sqrt(4096)
