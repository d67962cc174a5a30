"""`clientele quarantine`: look at rows that were set aside, and decide."""

from __future__ import annotations

from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.landing.manifest import Landing
from dagster_project.landing.quarantine import Held, Quarantine, Status
from dagster_project.settings import settings
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.releases import Releases

app = typer.Typer(help="Rows set aside by the gate: list, show, replay, discard.", no_args_is_help=True)

FeedId = Annotated[str, typer.Argument(help="The feed, as SOURCE.FEED.", metavar="FEED")]
Rule = Annotated[str | None, typer.Option(help="Only rows that broke this rule.")]
LoadId = Annotated[str | None, typer.Option("--load", help="Only rows set aside by this load.", metavar="LOAD")]
Row = Annotated[list[int] | None, typer.Option(help="Only the row with this number (needs --load).")]


def _quarantine() -> Quarantine:
    decisions = Releases(settings().releases, settings().warehouse).decisions()
    return Quarantine(settings().quarantine, Landing(settings().landing, without=decisions.skipped))


def _chosen(feed: str, rule: str | None, load: str | None, row: list[int] | None) -> list[Held]:
    if row and not load:
        raise typer.BadParameter("a row number counts within its load; add --load LOAD", param_hint="--row")
    if feed.count(".") != 1:
        raise typer.BadParameter(f"{feed!r} is no SOURCE.FEED", param_hint="FEED")
    return [
        held
        for held in _quarantine().held(feed)
        if (rule is None or rule in held.rule.split("; "))
        and (load is None or held.load_id == load)
        and (not row or held.row in row)
    ]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Count the rows set aside, per feed, load, rule and what became of them."""
    quarantine = _quarantine()
    counts: dict[tuple[str, str, str, str], int] = {}
    for feed in quarantine.balance():
        for held in quarantine.held(feed):
            key = (feed, held.load_id, held.rule, held.status.value)
            counts[key] = counts.get(key, 0) + 1
    rows = [
        {"feed": feed, "load": load, "rule": rule, "status": status, "rows": n}
        for (feed, load, rule, status), n in sorted(counts.items())
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table("Quarantine", rows)
        console.print("Look at them with: clientele quarantine show FEED")
    else:
        console.print("Nothing was ever set aside.")


@app.command()
def show(
    feed: FeedId,
    rule: Rule = None,
    load: LoadId = None,
    row: Row = None,
    limit: Annotated[int, typer.Option(help="At most this many rows.", min=1)] = 20,
    unmask: Annotated[bool, typer.Option("--unmask", help="Show personal data, which else reads ***.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the rows as they came from the source, with rule, reason and status; and unparseable lines."""
    quarantine = _quarantine()
    rows = quarantine.show(feed, _chosen(feed, rule, load, row), limit, unmask=unmask)
    rejects = quarantine.rejects(feed, limit, unmask=unmask)
    if as_json:
        print_json({"rows": rows, "rejected_lines": rejects})
    elif rows or rejects:
        for record in rows:
            console.print(f"[bold]{record['_load_id']} row {record['_row']}[/bold]  {record['_status']}")
            console.print(f"  {record['_rule']}: {record['_reason']}", markup=False)
            values = {k: v for k, v in record.items() if not k.startswith("_")}
            console.print("  " + ", ".join(f"{k}={v}" for k, v in values.items()), markup=False)
        table("Lines that could not be parsed", rejects)
    else:
        console.print(f"Nothing of {feed} was set aside.")


@app.command()
def replay(
    feed: FeedId,
    rule: Rule = None,
    load: LoadId = None,
    row: Row = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let them pass although they break a quarantine rule.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give open rows to the next load again, after the rule was corrected (or with --force as they are).

    A replayed row never beats a newer one: if its key has landed since, it is set aside again.
    """
    _decide("replay", feed, _chosen(feed, rule, load, row), as_json, force=force)
    if not as_json:
        console.print("The next load takes them: clientele load")


@app.command()
def discard(feed: FeedId, rule: Rule = None, load: LoadId = None, row: Row = None, as_json: AsJson = False) -> None:
    """Close open rows for good. They stay readable, count as discarded, and are not set aside again."""
    _decide("discard", feed, _chosen(feed, rule, load, row), as_json)


def _decide(action: str, feed: str, chosen: list[Held], as_json: bool, *, force: bool = False) -> None:
    lock = WriterLock(settings().home)
    lock.acquire(purpose=f"quarantine {action}")
    try:
        rows = _quarantine().request(feed, action, chosen, force=force)
    finally:
        lock.release()
    if as_json:
        print_json({"feed": feed, "action": action, "rows": rows})
    else:
        console.print(f"{rows:,} rows of {feed}: {Status.REPLAY if action == 'replay' else Status.DISCARDED}")
