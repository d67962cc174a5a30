"""Schema versions of a feed and the drift between them.

Version 1 is what source.yml declares. A column that is missing or has another type fails the feed, with a
diff, until `clientele source accept` records a new version; a column that is new lands and is reported.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import FeedError
from dagster_project.landing.manifest import write_durably
from dagster_project.landing.reader import Opened
from dagster_project.landing.source import Feed

FILE = "schemas.json"


@dataclass(frozen=True)
class Schema:
    version: int
    columns: dict[str, str]


@dataclass(frozen=True)
class Drift:
    """Columns by what happened to them; types as (accepted, found)."""

    missing: dict[str, str]
    retyped: dict[str, tuple[str, str]]
    new: dict[str, str]

    def lines(self) -> list[str]:
        return [
            *(f"- {name} {kind}: missing" for name, kind in self.missing.items()),
            *(f"~ {name}: was {was}, is {now}" for name, (was, now) in self.retyped.items()),
            *(f"+ {name} {kind}: new" for name, kind in self.new.items()),
        ]


def accepted(feed: Feed, folder: Path) -> Schema:
    """The feed's current schema: the last accepted version, else what source.yml declares."""
    path = folder / FILE
    if not path.exists():
        return Schema(1, dict(feed.columns))
    versions = json.loads(path.read_text(encoding="utf-8"))
    last = versions[-1]
    return Schema(last["version"], last["columns"])


def accept(feed: Feed, folder: Path, columns: dict[str, str]) -> Schema:
    """Record the columns as the feed's next schema version."""
    now = accepted(feed, folder)
    path = folder / FILE
    versions = json.loads(path.read_text(encoding="utf-8")) if path.exists() else [vars(now)]
    new = Schema(now.version + 1, columns)
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(path, json.dumps([*versions, vars(new)], indent=2))
    return new


def compare(schema: Schema, found: dict[str, str]) -> Drift:
    return Drift(
        missing={name: kind for name, kind in schema.columns.items() if name not in found},
        retyped={
            name: (kind, found[name]) for name, kind in schema.columns.items() if name in found and found[name] != kind
        },
        new={name: kind for name, kind in found.items() if name not in schema.columns},
    )


def check(feed: Feed, schema: Schema, opened: Opened) -> Drift:
    """The drift, if the feed can land with it.

    Raises:
        FeedError: a column is missing or retyped; the message holds the diff.
    """
    drift = compare(schema, opened.columns)
    if drift.missing or drift.retyped:
        raise FeedError(
            feed.source,
            feed.name,
            f"{opened.place}: its shape changed against schema version {schema.version}:\n    "
            + "\n    ".join(drift.lines()),
            remedy=opened.hint
            or f"have the agreed shape delivered, or record the new one: clientele source accept {feed.id}",
        )
    return drift
