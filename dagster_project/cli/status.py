"""`clientele status`: what is served, what runs, how the last loads went."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.settings import settings


def status(
    load_id: Annotated[str | None, typer.Argument(help="Show one load whole.", metavar="LOAD")] = None,
    loads: Annotated[int, typer.Option(help="How many loads to list.", min=1)] = 5,
    as_json: AsJson = False,
) -> None:
    """Show what is served, what runs, the last loads, freshness per feed and what waits in quarantine.

    Reads the ledger's files, so it works while a load runs and when nothing was ever published.
    Exit code 1 if the last load failed or was partial.
    """
    from dagster_project.cli.load import summarize
    from dagster_project.errors import ClienteleError
    from dagster_project.warehouse.ledger import Ledger
    from dagster_project.warehouse.report import load_report, status_report

    if load_id:
        if load_id not in Ledger(settings().ledger).loads():
            raise ClienteleError(f"there is no load {load_id}", remedy="see the ids with: clientele status --loads 50")
        report = load_report(settings(), load_id)
        print_json(report) if as_json else summarize(report | {"seconds": 0.0})
        return
    report = status_report(settings(), loads)
    serving = settings().serving
    report["store"] = json.loads(serving.read_text(encoding="utf-8")) if serving.exists() else None
    if as_json:
        print_json(report)
    else:
        served = report["served"]
        if served:
            console.print(
                f"[bold]Served[/bold]: release {served['release']} of {served['load_date']},"
                f" published {served['published_at'][:19]} UTC, {served['file_bytes'] / 1e6:,.0f} MB"
            )
            console.print(f"        {served['warehouse']}\n", markup=False)
        else:
            console.print("Nothing was published yet; run: clientele load\n")
        if store := report["store"]:
            told = (
                f"lags since {store['at'][:19]} UTC: {store['error']}"
                if store["error"]
                else f"release {store['release']}"
            )
            console.print(f"[bold]PostgreSQL store[/bold]: {told}\n", markup=True)
        if report["running"]:
            console.print(f"[bold]Running[/bold]: {report['running']}\n")
        table("Last loads", report["loads"])
        table("Feeds", report["feeds"])
        table("Quarantine", [{"feed": feed} | counts for feed, counts in report["quarantine"].items()])
        if report["withheld"]:
            console.print(
                f"[bold]Withheld[/bold] since a rollback: {', '.join(report['withheld'])}"
                " (clientele load --resume | --skip LOAD)"
            )
    last = report["loads"][0]["status"] if report["loads"] else "unchanged"
    raise typer.Exit(1 if last in {"failed", "partial", "crashed"} else 0)
