"""`clientele sql`: ask the served warehouse, read-only, without reach into files."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, print_json, table
from dagster_project.errors import ClienteleError
from dagster_project.settings import settings


def sql(
    query: Annotated[str | None, typer.Argument(help="SQL; without it, read from standard input.")] = None,
    limit: Annotated[int, typer.Option(help="Print at most this many rows; 0 for all.", min=0)] = 100,
    csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the served warehouse in SQL. Read-only; also works while a load runs.

    Example: clientele sql "select department, net_sales from cube.sales_by_department limit 5"
    """
    import duckdb

    from dagster_project.served import connect

    text = query or sys.stdin.read()
    try:
        with connect(settings().warehouse) as con:
            result = con.execute(text)
            names = [column[0] for column in result.description or ()]
            rows = result.fetchmany(limit) if limit else result.fetchall()
            more = bool(limit) and result.fetchone() is not None
    except duckdb.Error as error:
        raise ClienteleError(str(error).split("\n\nLINE")[0], remedy='clientele sql "show all tables"') from None
    records = [dict(zip(names, row, strict=True)) for row in rows]
    if as_json:
        print_json(records)
    elif csv:
        import csv as csv_module

        writer = csv_module.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
    elif records:
        table("", records, names)
    else:
        typer.echo("no rows")
    if more:
        typer.echo(f"(the first {limit} rows; --limit 0 for all)", err=True)
