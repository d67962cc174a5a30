"""`clientele export`: files of what a role may see."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.errors import ClienteleError
from dagster_project.settings import settings


def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; it must not be there yet, or be empty.")],
    role: Annotated[
        str, typer.Option(help="Role whose policy applies: analyst, steward. Default: CLIENTELE_ROLE.")
    ] = "",
    format_: Annotated[
        str, typer.Option("--format", help="duckdb (one file), parquet or csv (a file a table).")
    ] = "duckdb",
    facts: Annotated[str, typer.Option(help="Facts to write besides, separated by commas; `all` for all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Write what a role may see of the served release: its rows only, and no cell of few people.

    export.json beside the tables says of which release they are, how many cells are hidden, and what was left out.

    Example: clientele export out --role analyst --format parquet
    """
    from dagster_project.serving.export import Format, export

    if format_ not in {item.value for item in Format}:
        raise typer.BadParameter(f"{format_!r} is none of {', '.join(Format)}", param_hint="--format")
    chosen = role or settings().role
    if not chosen:
        raise ClienteleError("whose export is it?", remedy="name a role: --role analyst")
    done = export(settings(), folder, chosen, Format(format_), facts)
    if as_json:
        print_json(asdict(done))
        return
    rows = [
        {"table": name, "rows": count, "hidden_cells": done.hidden_cells.get(name)}
        for name, count in done.tables.items()
    ]
    table(f"Export for {chosen}", rows)
    table("Left out", [{"table": name, "because": why} for name, why in done.left_out.items()])
    console.print(f"Release {done.release} of {done.load_date}: {len(rows)} tables in {folder}", markup=False)
