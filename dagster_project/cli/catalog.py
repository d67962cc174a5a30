"""`clientele catalog`: what the warehouse measures, from which source, and what it does not, and why."""

from __future__ import annotations

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.settings import settings


def catalog(as_json: AsJson = False) -> None:
    """List the canonical feeds: which enabled feeds fill each, its table, and if it is not measured, why.

    Then the columns that no enabled source gives, and what each landed feed is reconciled with.
    docs/feeds.md describes every feed and column.
    """
    from dagster_project.warehouse.catalog import catalog as made

    found = made(settings())
    if as_json:
        print_json(found)
        return
    table(
        "Canonical feeds",
        [
            {
                "feed": record["feed"],
                "filled by": ", ".join(record["filled_by"]),
                "table": record["table"],
                "rows": record["rows"],
                "measured": record["measured"],
                "why not": record["why_not"],
            }
            for record in found["canonical"]
        ],
    )
    table(
        "Columns not measured",
        [
            {"table": record["table"], "columns": ", ".join(record["columns_not_measured"])}
            for record in found["canonical"]
            if record["measured"] and record["columns_not_measured"]
        ],
    )
    table(
        "Landed feeds",
        [
            {
                "feed": record["feed"],
                "fills": ", ".join(record["fills"]),
                "reconciled with": ", ".join(record["reconciled_with"]),
                "why not": record["why_not"],
            }
            for record in found["landed"]
        ],
    )
    if not any(record["rows"] for record in found["canonical"]):
        console.print("Nothing was published yet; run: clientele load")
