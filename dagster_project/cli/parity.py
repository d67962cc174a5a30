"""`clientele parity`: the same rows on both engines, table by table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.settings import settings


def parity(
    rows: Annotated[int, typer.Option(help="Rows to show of those that only one engine has.", min=0)] = 5,
    as_json: AsJson = False,
) -> None:
    """Compare every table of the warehouse on Spark with the one in DuckDB.

    Both must have been loaded from the same landing: `clientele load`, then `clientele load --target spark`. Exit code
    1 if a row differs.
    """
    from dagster_project.spark.parity import compare

    found = list(compare(settings(), rows))
    if as_json:
        print_json([asdict(item) | {"agrees": item.agrees} for item in found])
    else:
        table("Parity", [{k: v for k, v in asdict(item).items() if k != "examples"} for item in found])
        for item in found:
            if item.examples:
                table(f"{item.table}: rows of one engine only", item.examples)
        differing = [item.table for item in found if not item.agrees]
        told = f"differ: {', '.join(differing)}" if differing else "hold the same rows on both engines"
        console.print(f"{len(found)} tables compared; {told}.", markup=False)
    raise typer.Exit(0 if all(item.agrees for item in found) else 1)
