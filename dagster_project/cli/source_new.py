"""`clientele source new`: look at what a system delivers and write the draft of its source."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.contract.contract import read_contract
from dagster_project.errors import ConfigurationError
from dagster_project.profiling.database import dsn_variable
from dagster_project.profiling.draft import as_record
from dagster_project.profiling.write import Draft, Project, write_draft
from dagster_project.settings import PROJECT, settings


def new(
    name: Annotated[str, typer.Argument(help="Name of the source: lower case, such as web_shop.")],
    from_: Annotated[
        str,
        typer.Option("--from", help="Folder, file, or PostgreSQL database (postgresql://...).", metavar="PATH_OR_DSN"),
    ],
    timezone: Annotated[str, typer.Option(help="Zone of the source's business day.", metavar="ZONE")] = "UTC",
    fills: Annotated[
        list[str] | None,
        typer.Option(
            help="What a feed fills, where its name does not tell; may be repeated.", metavar="FEED=CANONICAL"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Profile what a system delivers and write the draft of its source.

    Writes source.yml, a suite a feed and staging models; what is there is never written over. Then go
    through what is marked DECIDE, and load.

    Example:

      clientele source new web_shop --from exports/ --timezone Europe/Berlin

      export CLIENTELE_SOURCES=complete_journey,web_shop

      clientele source check

      clientele load

      clientele source new till --from postgresql://reader:secret@db.example.org/till
    """
    project = Project(settings().sources_dir, settings().expectations_dir, settings().dbt_dir)
    is_database = from_.startswith(("postgresql:", "postgres:"))
    if "://" in from_:
        os.environ[dsn_variable(name)] = from_
    draft = write_draft(
        name,
        None if is_database else Path(from_),
        project,
        read_contract(),
        timezone=_zone(timezone),
        fills=dict(map(_fill, fills or [])),
    )
    if as_json:
        print_json(
            {
                "source": name,
                "feeds": [as_record(feed) for feed in draft.feeds],
                "files": [str(path) for path in draft.files],
                "left_out": list(draft.left_out),
            }
        )
    else:
        _tell(draft)


def _fill(text: str) -> tuple[str, str]:
    feed, separator, canonical = text.partition("=")
    if not (feed and separator and canonical):
        raise typer.BadParameter(f"{text!r}: write FEED=CANONICAL, such as lines=order_lines", param_hint="--fills")
    return feed, canonical


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigurationError(
            f"{name!r} is no time zone", remedy="give one such as Europe/Berlin or America/New_York"
        ) from None


def _tell(draft: Draft) -> None:
    rows = [as_record(feed) for feed in draft.feeds]
    shown = [
        row | {"key": ", ".join(feed.key), "fills": feed.canonical or "?", "decide": len(feed.decide)}
        for row, feed in zip(rows, draft.feeds, strict=True)
    ]
    table("Feeds found", shown, ["feed", "reads", "rows", "fills", "extract", "key", "dated_by", "decide"])
    for path in draft.files:
        console.print(f"written: {_short(path)}", markup=False)
    if draft.left_out:
        console.print(f"left out, no known format: {', '.join(draft.left_out[:10])}", markup=False)
    for feed in draft.feeds:
        for question in feed.decide:
            console.print(f"decide {feed.name}: {question}", markup=False)
    if draft.is_database:
        console.print(f"export {dsn_variable(draft.name)}=... the connection string is in no file", markup=False)
    console.print("Next: go through every DECIDE in these files, add the source to CLIENTELE_SOURCES, then:")
    console.print("  clientele source check", markup=False)
    console.print("  clientele load", markup=False)


def _short(path: Path) -> Path:
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path
