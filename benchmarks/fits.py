"""Our side of the fits, in a process of its own: `python -m benchmarks.fits FOLDER`.

Prints as JSON the seconds and the parameters of each model.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAREHOUSE = "warehouse.duckdb"

Timed = dict[str, tuple[float, dict[str, float]]]


def ours(folder: Path) -> Timed:
    import duckdb
    import scipy.optimize  # noqa: F401 - lifetimes' imports aren't counted either

    from dagster_project.clv import bg_nbd, gamma_gamma, pareto_nbd, statistics, worth

    found: Timed = {}
    with duckdb.connect(str(folder / WAREHOUSE), read_only=True) as con:
        began = time.perf_counter()
        known = statistics.from_warehouse(con)
        seconds = time.perf_counter() - began
    found["statistics"] = seconds, {"customers": known.purchases.total, "groups": len(known.purchases.customers)}

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


if __name__ == "__main__":
    print(json.dumps(ours(Path(sys.argv[1]))))
