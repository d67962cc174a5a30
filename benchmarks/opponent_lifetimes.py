# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#     "lifetimes==0.11.3",
#     "autograd==1.6.2",
#     "dill==0.3.8",
#     "numpy==1.26.4",
#     "pandas==2.1.4",
#     "scipy==1.11.4",
# ]
# ///
"""`lifetimes` on the same groups of customers: `uv run --script benchmarks/opponent_lifetimes.py GROUPS.npz`.

An environment of its own, as its code needs libraries, and versions of them, which the project does without. Prints as
JSON the seconds and the parameters of each model. Groups are counted by it as weights. Its Pareto/NBD draws the starts
of its search, so these are seeded.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter


def main(file: str) -> None:
    warnings.simplefilter("ignore")
    np.random.seed(1)
    groups = dict(np.load(file))
    bought = [groups[name] for name in ("frequency", "recency", "age")]
    customers = groups["customers"]
    paid = groups["days"] > 0
    days = groups["days"][paid]
    value = groups["amount"][paid] / 10_000 / days
    found: dict[str, tuple[float, dict[str, float]]] = {}

    def timed(name: str, fit: Callable[[], Any]) -> None:
        began = time.perf_counter()
        done = fit()
        seconds = time.perf_counter() - began
        found[name] = seconds, {"gamma" if key == "v" else key: float(of) for key, of in done.params_.items()}

    timed("bg_nbd", lambda: BetaGeoFitter().fit(*bought, weights=customers))
    timed("pareto_nbd", lambda: ParetoNBDFitter().fit(*bought, weights=customers))
    timed("gamma_gamma", lambda: GammaGammaFitter().fit(days, value, weights=groups["payers"][paid]))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
