"""`clientele fit`: the models of customers' worth, fitted on what is served."""

from __future__ import annotations

from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.settings import settings


def fit(
    months: Annotated[int, typer.Option(help="How far ahead a customer's worth is counted.", min=1, max=120)] = 36,
    discount_rate: Annotated[float, typer.Option(help="What a year's wait costs: 0.1 is 10 %.", min=0, max=1)] = 0.1,
    as_json: AsJson = False,
) -> None:
    """Fit BG/NBD, Pareto/NBD and Gamma-Gamma on the served warehouse; the next load reads the result.

    A fit is landed and never changed: loads and rebuilds read the newest one, none fits. Fit again when a month has
    closed (the schedule does so). The same customers again give the same fit, so nothing new is landed.
    """
    from dagster_project.warehouse.worth import fit_served, told

    landed = fit_served(settings(), months=months, discount_rate=discount_rate)
    models = told(landed)
    if as_json:
        print_json({"fit": landed.folder.name, "as_of": landed.manifest.as_of.isoformat(), "models": models})
        return
    table("Fits", models)
    console.print(
        f"{landed.folder.name}: {landed.manifest.customers:,} customers as of {landed.manifest.as_of};"
        f" purchases after {landed.manifest.purchases}, value after {landed.manifest.values}.\n"
        "The next load publishes it: clientele load",
        markup=False,
    )
