"""`clientele source`: the enabled sources, whether they can be read, and accepting a changed shape."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dagster_project.cli import source_new
from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.cli.source_parts import open_decisions, require_parts
from dagster_project.errors import ClienteleError
from dagster_project.landing import schema, sql
from dagster_project.landing.opening import current_shape, open_feed
from dagster_project.landing.postgres.session import Sessions
from dagster_project.landing.reader import Opened
from dagster_project.landing.source import Feed, Source, read_sources
from dagster_project.settings import settings

app = typer.Typer(help="Source systems: bring one in, list, check, accept a changed shape.", no_args_is_help=True)
app.command("new")(source_new.new)


def _sources(named: Sequence[str] = ()) -> dict[str, Source]:
    """The sources named, enabled or not; else those enabled."""
    return read_sources(settings().sources_dir, list(dict.fromkeys(named)) or settings().enabled_sources)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the enabled sources and their feeds: how each is read and what it fills.

    Example: clientele source list --json
    """
    rows = [
        {
            "feed": feed.id,
            "class": feed.data_class.value,
            "extract": feed.extract.value,
            "key": ", ".join(feed.key),
            "fills": ", ".join(feed.canonical),
            "reads": feed.path or feed.table or "(query)",
            "description": feed.description,
        }
        for source in _sources().values()
        for feed in source.feeds.values()
    ]
    print_json(rows) if as_json else table("Feeds", rows)


def _found(source: Source, feed: Feed, sessions: Sessions) -> tuple[schema.Schema, Opened]:
    accepted = schema.accepted(feed, settings().landing / feed.source / feed.name)
    with tempfile.TemporaryDirectory() as spill, sql.scratch(Path(spill), "1GB", 2) as con:
        return accepted, open_feed(con, source, feed, accepted.columns, sessions, Path(spill))


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Sources; without, the enabled ones.", metavar="NAME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Open every feed and compare its shape with the accepted one; look for its suite and its staging models.

    Exit code 1 if one fails. A source need not be enabled to be checked.

    Example: clientele source check complete_journey
    """
    rows: list[dict[str, Any]] = []
    sources = _sources(names or ())
    with Sessions() as sessions:
        for source, feed in ((s, f) for s in sources.values() for f in s.feeds.values()):
            try:
                accepted, opened = _found(source, feed, sessions)
                drift = schema.check(feed, accepted, opened)
                require_parts(feed)
                told = "; ".join(drift.lines()) or "as agreed"
                rows.append({"feed": feed.id, "ok": True, "schema_version": accepted.version, "told": told})
            except ClienteleError as error:
                rows.append({"feed": feed.id, "ok": False, "schema_version": None, "told": str(error)})
    if as_json:
        print_json(rows)
    else:
        table("Sources", rows)
        _tell_open_decisions(sources.values())
    raise typer.Exit(0 if all(row["ok"] for row in rows) else 1)


def _tell_open_decisions(sources: Iterable[Source]) -> None:
    for source in sources:
        for file, count in open_decisions(source).items():
            console.print(f"{source.name}: {count} to DECIDE in {file}", markup=False)


@app.command()
def accept(
    feed: Annotated[str, typer.Argument(help="The feed, as SOURCE.FEED.", metavar="FEED")],
    as_json: AsJson = False,
) -> None:
    """Record the shape a feed has now as its next schema version; the next load lands it.

    Columns that staging relies on stay: one that is missing is NULL from then on, a retyped one is cast.

    Example: clientele source accept complete_journey.products
    """
    source_name, _, name = feed.partition(".")
    sources = _sources()
    if source_name not in sources or name not in sources[source_name].feeds:
        raise ClienteleError(f"there is no feed {feed}", remedy="see `clientele source list`")
    source = sources[source_name]
    declared = source.feeds[name]
    folder = settings().landing / source_name / name
    accepted = schema.accepted(declared, folder)
    with tempfile.TemporaryDirectory() as spill, sql.scratch(Path(spill), "1GB", 2) as con:
        found = current_shape(con, source, declared, accepted.columns, Path(spill))
    if found == accepted.columns:
        raise ClienteleError(f"{feed} has the accepted shape already", remedy="nothing to do")
    if lost := [column for column in declared.key if column not in found]:
        raise ClienteleError(
            f"{feed}: key column {', '.join(lost)} is gone; rows could not be told apart",
            remedy="have it delivered, or change `key` in source.yml",
        )
    drift = schema.compare(accepted, found)
    new = schema.accept(declared, folder, found)
    if as_json:
        print_json({"feed": feed, "schema_version": new.version, "changes": drift.lines()})
        return
    console.print(f"{feed}: schema version {new.version} accepted")
    for line in drift.lines():
        console.print(f"  {line}", markup=False)
