"""`clientele landing`: what has landed, whether the sources hold more than that, and fewer files for the same rows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.landing.manifest import Landing
from dagster_project.landing.source import read_sources
from dagster_project.settings import settings
from dagster_project.warehouse.releases import Releases

app = typer.Typer(help="Landed batches: list, recount against the sources, compact.", no_args_is_help=True)


def _landing() -> Landing:
    decisions = Releases(settings().releases, settings().warehouse).decisions()
    return Landing(settings().landing, without=decisions.skipped)


@app.command("list")
def list_(
    feed: Annotated[str | None, typer.Argument(help="Only this feed, as SOURCE.FEED.", metavar="FEED")] = None,
    as_json: AsJson = False,
) -> None:
    """List the landed batches with what became of their rows."""
    rows: list[dict[str, Any]] = [
        {
            "feed": m.feed_id,
            "load": m.load_id,
            "load_date": m.load_date.isoformat(),
            **m.counts.model_dump(),
            "from": m.business_min and m.business_min.isoformat(),
            "to": m.business_max and m.business_max.isoformat(),
        }
        for m in _landing()
        if feed in (None, m.feed_id)
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table("Landed batches", rows)
    else:
        console.print("Nothing has landed." if feed is None else f"Nothing of {feed} has landed.")


@app.command()
def recount(as_json: AsJson = False) -> None:
    """Compare closed months of the append feeds with their sources: rows that came later than any look-back.

    Exit code 1 if a month differs; the remedy is printed with it.
    """
    from dagster_project.landing.recount import recount_feed

    sources = read_sources(settings().sources_dir, settings().enabled_sources)
    landing = _landing()
    rows = [
        difference
        for source in sources.values()
        for feed in source.feeds.values()
        for difference in recount_feed(landing, source, feed, settings())
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table("Months that differ", rows)
        days = max(row["days_back"] for row in rows)
        console.print(f"Read them with: clientele load --lookback {days}")
    else:
        console.print("Every closed month has as many rows landed or set aside as its source holds.")
    raise typer.Exit(1 if rows else 0)


@app.command()
def compact(
    feed: Annotated[str | None, typer.Argument(help="Only this feed, as SOURCE.FEED.", metavar="FEED")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be compacted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the batches of each closed month by one verified file a feed.

    Months before that of the served release, and only loads that every kept release holds, so that a rollback finds
    what it needs. Rows, load ids and manifests stay as they are: a rebuild from compacted landing is the same.
    """
    from dagster_project.warehouse.compaction import compact_landing

    rows = compact_landing(settings(), feed, dry_run=dry_run, tell=None if as_json else console.print)
    if as_json:
        print_json(rows)
    elif rows:
        table("Would be compacted" if dry_run else "Compacted", rows)
    else:
        console.print("Nothing to compact: no closed month has two batches that every kept release holds.")
