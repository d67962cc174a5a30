"""`clientele release`: which releases there are, and going back to one."""

from __future__ import annotations

from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, errors, print_json, table
from dagster_project.settings import settings
from dagster_project.warehouse.ledger import Ledger, new_load_id, now
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.releases import Releases

app = typer.Typer(help="Published releases: list, rollback, prune.", no_args_is_help=True)


def _releases() -> Releases:
    return Releases(settings().releases, settings().warehouse)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the releases that are kept; the served one is marked."""
    releases = _releases()
    current = releases.current()
    rows = [
        {
            "release": item.release,
            "served": current is not None and item.release == current.release,
            "load_date": item.load_date.isoformat(),
            "published_at": item.published_at[:19],
            "loads": len(item.loads),
            "megabytes": round(item.file_bytes / 1e6),
        }
        for item in releases.all()
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table("Releases", rows)
    else:
        console.print("Nothing was published yet; run: clientele load")


@app.command()
def rollback(
    release: Annotated[str | None, typer.Argument(help="Default: the one before the served one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve an earlier release. Later loads are withheld until `load --resume` or `load --skip LOAD`."""
    lock = WriterLock(settings().home)
    lock.acquire(purpose="release rollback")
    try:
        served, withheld = _releases().rollback(release)
        ledger = Ledger(settings().ledger)
        event = new_load_id(max(ledger.loads(), default=None))
        at = now()
        ledger.write(
            "load",
            event,
            load_date=served.load_date,
            kind="rollback",
            status="published",
            started_at=at,
            finished_at=at,
            release=served.release,
            message=f"withheld: {', '.join(withheld) or 'none'}",
        )
        ledger.write("release", event, release=served.release, action="rollback", released_at=at)
    finally:
        lock.release()
    if settings().pg_dsn.get_secret_value():
        from dagster_project.serving.follow import follow

        follow(settings(), lambda line: errors.print(line, markup=False))
    if as_json:
        print_json({"served": served.release, "withheld": withheld})
        return
    console.print(f"Served now: release {served.release} of {served.load_date}")
    if withheld:
        console.print(f"Withheld: {', '.join(withheld)}\n  -> clientele load --resume, or --skip LOAD")


@app.command()
def prune(
    keep: Annotated[int | None, typer.Option(help="How many to keep. Default: CLIENTELE_KEEP_RELEASES.", min=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Remove old releases; the served one always stays, and readers that have one open keep it."""
    lock = WriterLock(settings().home)
    lock.acquire(purpose="release prune")
    try:
        gone = _releases().prune(keep or settings().keep_releases)
    finally:
        lock.release()
    print_json({"removed": gone}) if as_json else console.print(f"Removed {len(gone)}: {', '.join(gone) or 'none'}")
