"""Maximum likelihood: several starts, one optimum, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dagster_project.clv.statistics import Floats

# A logarithm of a parameter this far out, in units of its data, says that the data do not hold the parameter.
BOUND = 9.0
AT_BOUND = 0.01
# When a climb ends: by the relative rise of the likelihood, or by its gradient.
ROUGH = {"ftol": 1e-5, "gtol": 1e-3}
FINE = {"ftol": 1e-15, "gtol": 1e-8}
# Of the mean log-likelihood by the logarithms of the parameters.
FLAT = 1e-5
HESSIAN_STEP = 1e-4
# The standard error of the worst known direction, in logarithms: a factor of 150 is no knowledge.
LEAST_KNOWN = 5.0
LEAST_CUSTOMERS = 50
LEAST_REPEATERS = 10

Objective = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Fit:
    """What became of fitting a model. The parameters count only if `converged`; `message` says why they don't.

    Attributes:
        role: what is modelled: purchases or value.
        standard_errors: by parameter; empty unless converged.
        log_likelihood: at the optimum, in the unit of the statistics; None if nothing was fitted.
        iterations: of the start that won.
    """

    model: str
    role: str
    customers: int
    groups: int
    parameters: Mapping[str, float] = field(default_factory=dict)
    standard_errors: Mapping[str, float] = field(default_factory=dict)
    log_likelihood: float | None = None
    converged: bool = False
    iterations: int = 0
    message: str = ""


@dataclass(frozen=True)
class Optimum:
    """The best that was found, in logarithms of the parameters and units of the data."""

    point: Floats
    mean: float
    gradient: Floats
    iterations: int


def mean(values: npt.NDArray[np.number[Any]], share: Floats) -> float:
    """The weighted mean, summed alike on every machine: BLAS splits a product of vectors among its threads."""
    return float((values * share).sum())


def too_few(customers: int, repeaters: int) -> str:
    """Why nothing can be fitted, or nothing."""
    if customers >= LEAST_CUSTOMERS and repeaters >= LEAST_REPEATERS:
        return ""
    return (
        f"too few customers: {customers:,}, {repeaters:,} of them with a repeat;"
        f" at least {LEAST_CUSTOMERS} and {LEAST_REPEATERS} are needed"
    )


def maximise(
    unfitted: Fit,
    likelihood: Objective,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    units: Sequence[float],
) -> Fit:
    """Fit by maximum likelihood, from each of the starts.

    Args:
        unfitted: says what is fitted and on how many.
        likelihood: of the logarithms of the parameters: the mean log-likelihood of a customer, and its gradient.
        starts: parameters, in units of the data.
        units: what a parameter is multiplied by to be in the unit of the statistics.
    """
    found = [rough for start in starts if (rough := _climb(likelihood, np.log(start), ROUGH))]
    # only the best hill is climbed to its top: CDNOW's Pareto/NBD takes 53 evaluations instead of 84
    best = _climb(likelihood, max(found, key=lambda optimum: optimum.mean).point, FINE) if found else None
    if best is None:
        return replace(unfitted, message="not converged: the likelihood is not finite from any start")
    message, errors = _stopped(best, names), np.empty(0)
    if not message:
        curvature = _curvature(likelihood, best.point)
        if np.linalg.eigvalsh(curvature)[0] * unfitted.customers * LEAST_KNOWN**2 > 1:
            best = _settled(likelihood, best, curvature)
            errors = np.sqrt(np.diag(np.linalg.inv(curvature)) / unfitted.customers)
        else:
            message = "not identifiable: the likelihood is flat around its maximum"
    parameters = np.exp(best.point) * units
    return replace(
        unfitted,
        parameters=dict(zip(names, parameters.tolist(), strict=True)),
        standard_errors=dict(zip(names, (parameters[: len(errors)] * errors).tolist(), strict=False)),
        log_likelihood=float(best.mean) * unfitted.customers,
        converged=not message,
        iterations=best.iterations,
        message=message or "converged",
    )


def _climb(likelihood: Objective, start: Floats, until: Mapping[str, float]) -> Optimum | None:
    from scipy.optimize import minimize

    def descent(point: Floats) -> tuple[float, Floats]:
        mean, gradient = likelihood(point)
        return -mean, -gradient

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = minimize(
            descent,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-BOUND, BOUND)] * len(start),
            options={"maxiter": 500, "maxfun": 2000, "maxls": 40} | dict(until),
        )
    if not (np.isfinite(found.fun) and np.isfinite(found.x).all() and np.isfinite(found.jac).all()):
        return None
    return Optimum(found.x, -float(found.fun), -found.jac, int(found.nit))


def _stopped(best: Optimum, names: Sequence[str]) -> str:
    """Why the point is no maximum to rely on, or nothing."""
    out = [name for name, at in zip(names, best.point, strict=True) if abs(at) > BOUND - AT_BOUND]
    if out:
        return f"not identifiable: {', '.join(out)} went to the bound"
    steepest = float(np.abs(best.gradient).max())
    return f"not converged: the gradient is {steepest:.1e} after {best.iterations} steps" if steepest > FLAT else ""


def _settled(likelihood: Objective, best: Optimum, curvature: Floats) -> Optimum:
    """One Newton step on: to the last digits, so that the result depends neither on the start nor on the grouping."""
    point = best.point + np.linalg.solve(curvature, best.gradient)
    mean_there, gradient = likelihood(point)
    steeper = np.abs(gradient).max() > np.abs(best.gradient).max()
    return best if steeper else Optimum(point, mean_there, gradient, best.iterations)


def _curvature(likelihood: Objective, point: Floats) -> Floats:
    """Less the Hessian of the mean log-likelihood, from central differences of the gradient."""
    rows = []
    for step in np.eye(len(point)) * HESSIAN_STEP:
        rows.append((likelihood(point - step)[1] - likelihood(point + step)[1]) / (2 * HESSIAN_STEP))
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2, np.float64)
