"""The text of a drafted source.yml and of the source's README."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dagster_project.landing.csv_options import Csv
from dagster_project.profiling.database import dsn_variable
from dagster_project.profiling.draft import FeedDraft
from dagster_project.profiling.text import flow, flow_map, in_flow, scalar


def source_file(name: str, folder: Path | None, timezone: str, feeds: list[FeedDraft]) -> str:
    """source.yml: every choice with its reason, every open question with the word DECIDE.

    Args:
        folder: of the files; None for a database.
    """
    lines = [
        f"# Draft by `clientele source new {name}`; what it could not know is marked DECIDE.",
        "# Every key is described in sources/README.md.",
        f"name: {name}",
        f"description: {scalar(f'What {name} is and what it delivers.')} # DECIDE: one sentence for people",
        *_place(name, folder),
        f"timezone: {timezone} # DECIDE: the zone of the source's business day",
        "feeds:",
    ]
    for feed in feeds:
        lines += [f"  {line}" if line else "" for line in _feed(feed)]
    return "\n".join(lines).rstrip() + "\n"


def _place(name: str, folder: Path | None) -> list[str]:
    if folder is None:
        return ["kind: postgres", f"dsn: ${{{dsn_variable(name)}}} # postgresql://USER:PASSWORD@HOST:PORT/DATABASE"]
    variable = f"{name.upper()}_DIR"
    return ["kind: files", f"root: {scalar(f'${{{variable}:-{folder}}}')} # elsewhere: set {variable}"]


def _feed(feed: FeedDraft) -> Iterator[str]:
    yield f"{feed.name}:"
    for line in _settings(feed):
        yield f"  {line}"
    yield "  columns:"
    for name, kind in feed.columns.items():
        yield f"    {scalar(name)}: {kind}{_column_note(feed, name)}"
    yield ""


def _settings(feed: FeedDraft) -> Iterator[str]:
    found, why = feed.profile.found, feed.why
    files = "the table" if found.table else f"{len(found.files):,} file{'s' if len(found.files) > 1 else ''}"
    for question in feed.decide:
        yield f"# DECIDE: {question}"
    yield f"# {feed.profile.rows:,} rows in {files}"
    yield f"description: {scalar(f'One row of {feed.name}.')} # DECIDE: what one row is"
    yield f"table: {scalar(found.table)}" if found.table else f"path: {scalar(found.path)}"
    if found.date_pattern:
        yield f"files: {{date: '{found.date_pattern}'}}"
    yield f"class: {feed.data_class.value}"
    yield f"canonical: {feed.canonical or '[]'}"
    yield f"extract: {feed.extract} # {why['extract']}"
    if feed.key:
        yield f"key: {flow(feed.key)} # {why['key']}"
    if feed.updated_at:
        yield f"updated_at: {scalar(feed.updated_at)}"
    if feed.deleted_when:
        yield f"deleted_when: {scalar(feed.deleted_when)}"
    if feed.cursor:
        yield f"cursor: {scalar(feed.cursor)} # {why['cursor']}"
        if feed.columns[feed.cursor] == "TIMESTAMP":
            yield "# cursor_zone: UTC # DECIDE: if the moments are not in the zone of the business day"
    if by := feed.dated_by:
        yield f"dated_by: {flow_map(by.model_dump())} # {why['dated_by']}"
    if feed.control_totals:
        yield f"control_totals: {flow_map(feed.control_totals)}"
    if options := _csv(found.csv):
        yield f"csv: {options}"
    if personal := {name: column for name, column in feed.personal.items() if column}:
        yield f"pii: {flow_map(personal)} # personal data: lands apart, never in the warehouse"


def _csv(csv: Csv) -> str:
    default = Csv()
    given = {
        name: flow(value) if isinstance(value, tuple) else in_flow(value)
        for name, value in csv.model_dump().items()
        if value != getattr(default, name)
    }
    return f"{{{', '.join(f'{in_flow(name)}: {value}' for name, value in given.items())}}}" if given else ""


def _column_note(feed: FeedDraft, name: str) -> str:
    column = feed.profile.columns[name]
    notes = []
    if name in feed.personal and not feed.personal[name]:
        notes.append("DECIDE: personal data? map it under pii, with a feed in canonical that has a column for it")
    if not column.samples:
        notes.append("without any value: its type is a guess")
    elif column.nulls:
        notes.append(f"{column.nulls:.1%} without a value" if column.nulls >= 0.001 else "few without a value")
    return f" # {'; '.join(notes)}" if notes else ""


def readme(name: str, feeds: list[FeedDraft]) -> str:
    """README.md of the source: what was found, and what is left to do."""
    lines = [
        f"# {name}",
        "",
        "What it is, where it comes from, who delivers it and when, whom to ask.",
        "",
        "| feed | rows | extract | key | dated by | fills |",
        "|---|---|---|---|---|---|",
    ]
    for feed in feeds:
        key, dated = ", ".join(feed.key) or "none", feed.cursor or feed.updated_at or "none"
        cells = [feed.name, f"{feed.profile.rows:,}", feed.extract, key, dated, feed.canonical or "nothing yet"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "## What to know",
        "",
        "- **Time.** In which zone moments are given, and when the business day turns.",
    ]
    lines += ["- **Money.** Which amounts are net, which currency they are in."]
    if personal := [f"{feed.name}: {', '.join(feed.personal)}" for feed in feeds if feed.personal]:
        lines += [f"- **Personal data.** {'; '.join(personal)}."]
    if questions := [f"- {feed.name}: {question}" for feed in feeds for question in feed.decide]:
        lines += ["", "## To decide", "", *questions]
    return "\n".join(lines) + "\n"
