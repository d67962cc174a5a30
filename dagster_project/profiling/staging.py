"""Staging models drafted for a source: one a canonical feed, filled where names matched, open where not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from dagster_project.contract.contract import CanonicalFeed, Shape
from dagster_project.profiling import text
from dagster_project.profiling.draft import FeedDraft
from dagster_project.profiling.filling import Filled, fill
from dagster_project.profiling.matching import Match

# What every staging model begins with
ORIGIN = "_system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,"


@dataclass(frozen=True)
class Part:
    """What one landed feed gives to a staging model: canonical column -> how it is filled."""

    landed: str
    draft: FeedDraft
    match: Match
    columns: dict[str, Filled]


def models(source: str, timezone: str, feeds: list[FeedDraft]) -> dict[str, str]:
    """File name below dbt/models/staging/<source> -> text. Feeds of one canonical feed share a model."""
    files = {"sources.yml": _sources(source, feeds)}
    by_canonical: dict[str, list[Part]] = {}
    for feed in feeds:
        if feed.match:
            part = Part(feed.name, feed, feed.match, fill(feed, feed.match, timezone))
            by_canonical.setdefault(feed.match.feed.name, []).append(part)
    for canonical, parts in by_canonical.items():
        name = f"stg_{source}__{canonical}"
        files[f"{name}.sql"] = _model(source, parts)
        files[f"{name}.yml"] = _properties(name, canonical, parts)
    return files


def _sources(source: str, feeds: list[FeedDraft]) -> str:
    lines = [
        "sources:",
        f"  - name: {source}",
        "    description: >",
        f"      What landed from {source}. For lineage only: columns and types are declared once, in the source's",
        "      source.yml, and rows are read from landing by the macro `landed`.",
        "    schema: landing",
        "    tables:",
    ]
    for feed in feeds:
        lines += [f"      - name: {feed.name}", f"        description: {text.scalar(f'One row of {feed.name}.')}"]
    return "\n".join(lines) + "\n"


def _properties(name: str, canonical: str, parts: list[Part]) -> str:
    told = f"{canonical} from {', '.join(part.landed for part in parts)}, in the contract's shape."
    return f"models:\n  - name: {name}\n    description: {json.dumps(told)}\n"


def _model(source: str, parts: list[Part]) -> str:
    canonical = parts[0].match.feed
    filled = [name for name in canonical.columns if any(name in part.columns for part in parts)]
    head = [
        f"-- {canonical.description}",
        f"-- Draft by `clientele source new {source}`: names matched, nothing more; go through every line.",
        *_open_ends(canonical, parts, filled),
    ]
    selects = ["\n".join(_select(source, part, filled)) for part in parts]
    return "\n".join(head) + "\n" + "\n\nunion all\n\n".join(selects) + "\n"


def _select(source: str, part: Part, filled: list[str]) -> Iterator[str]:
    """The query of one feed: the columns filled by any of them, NULL for what this one lacks."""
    canonical = part.match.feed
    yield "select"
    yield f"    {ORIGIN}"
    yield f"    {_versions(part)}"
    for name in filled:
        lacking = Filled(f"cast(null as {canonical.columns[name].type})")
        column = part.columns.get(name, lacking)
        if column.note:
            yield f"    -- {column.note}"
        shown = column.sql if column.sql == name else f"{column.sql} as {name}"
        yield f"    {shown}{'' if name == filled[-1] else ','}"
    # a list made of rows that come piece by piece is cut from all that ever came
    history = ", history=true" if canonical.shape is Shape.LIST and part.draft.extract != "snapshot" else ""
    yield f"from {{{{ landed('{source}', '{part.landed}'{history}) }}}} as landed"


def _versions(part: Part) -> str:
    """The columns that say which version of an event or of a member a row is."""
    extract = part.draft.extract
    if part.match.feed.shape is Shape.EVENTS:
        upserted = "_op as op, _updated_at as updated_at, _superseded as is_superseded,"
        return upserted if extract == "upsert" else "_op as op,"
    return f"_op as op, {'_business_date' if extract == 'append' else '_effective_from'} as effective_from,"


def _open_ends(canonical: CanonicalFeed, parts: list[Part], filled: list[str]) -> list[str]:
    """Comments: what the contract also takes, and what the feeds have that it has no column for."""
    lines = []
    if rest := [name for name in canonical.columns if name not in filled and name not in canonical.pii]:
        lines += _wrapped("not given, so NULL: ", rest)
    for part in parts:
        used = {*part.match.columns.values(), *part.draft.personal}
        if unused := [name for name in part.draft.columns if name not in used]:
            lines += _wrapped(f"in {part.landed} but in no column of the contract: ", unused)
    return lines


def _wrapped(told: str, names: list[str]) -> list[str]:
    lines, line = [], f"-- {told}"
    for name in names:
        if len(line) + len(name) > 116:
            lines.append(line.rstrip())
            line = "--     "
        line += f"{name}, "
    return [*lines, line.rstrip(", ")]
