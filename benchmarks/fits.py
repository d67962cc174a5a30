"""One side of the fits, in a process of its own: `python -m benchmarks.fits ours|lifetimes FOLDER`.

Prints as JSON the seconds and the parameters of each model. Both sides fit the same groups of customers, counted by
`lifetimes` as weights; the starts of its Pareto/NBD are random, so seeded.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAREHOUSE = "warehouse.duckdb"
PURCHASES = "purchases.parquet"
VALUES = "values.parquet"

Timed = dict[str, tuple[float, dict[str, float]]]


def ours(folder: Path) -> Timed:
    import duckdb

    from dagster_project.clv import bg_nbd, gamma_gamma, pareto_nbd, statistics, worth

    found: Timed = {}
    with duckdb.connect(str(folder / WAREHOUSE), read_only=True) as con:
        began = time.perf_counter()
        known = statistics.from_warehouse(con)
        found["statistics"] = time.perf_counter() - began, {"customers": float(known.purchases.total)}

    def timed(name: str, fit: Callable[[], Any]) -> None:
        began = time.perf_counter()
        done = fit()
        found[name] = time.perf_counter() - began, dict(done.parameters)

    timed("bg_nbd", lambda: bg_nbd.fit(known.purchases))
    timed("pareto_nbd", lambda: pareto_nbd.fit(known.purchases))
    timed("gamma_gamma", lambda: gamma_gamma.fit(known.values))
    model = bg_nbd.BgNbd(**found["bg_nbd"][1])
    began = time.perf_counter()
    worth.discounted_purchases(model, known.purchases, worth.Horizon())
    found["36 months of bg_nbd"] = time.perf_counter() - began, {}
    return found


def lifetimes(folder: Path) -> Timed:
    import numpy as np
    import pandas as pd
    from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter

    np.random.seed(1)  # lifetimes draws its starts from it
    groups, values = pd.read_parquet(folder / PURCHASES), pd.read_parquet(folder / VALUES)
    values = values[values["days"] > 0]
    known = [groups[name].to_numpy() for name in ("frequency", "recency", "age", "customers")]
    paid = [values["days"].to_numpy(), (values["amount"] / 10_000 / values["days"]).to_numpy()]
    found: Timed = {}

    def timed(name: str, fit: Callable[[], Any]) -> None:
        began = time.perf_counter()
        done = fit()
        seconds = time.perf_counter() - began
        found[name] = seconds, {"gamma" if key == "v" else key: float(value) for key, value in done.params_.items()}

    timed("bg_nbd", lambda: BetaGeoFitter().fit(*known[:3], weights=known[3]))
    timed("pareto_nbd", lambda: ParetoNBDFitter().fit(*known[:3], weights=known[3]))
    timed("gamma_gamma", lambda: GammaGammaFitter().fit(*paid, weights=values["customers"].to_numpy()))
    return found


if __name__ == "__main__":
    side = {"ours": ours, "lifetimes": lifetimes}[sys.argv[1]]
    print(json.dumps(side(Path(sys.argv[2]))))
