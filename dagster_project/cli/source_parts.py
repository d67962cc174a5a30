"""What belongs to a source besides its source.yml: suites, staging models, decisions still open."""

from __future__ import annotations

from pathlib import Path

from dagster_project.errors import ClienteleError
from dagster_project.landing.source import Feed, Source
from dagster_project.quality.suite import load_suite
from dagster_project.settings import settings

MARK = "DECIDE:"  # what `clientele source new` leaves where someone must decide


def require_parts(feed: Feed) -> None:
    """Look for the feed's suite and the staging models of what it fills.

    Raises:
        ConfigurationError: the suite is missing or has a mistake.
        ClienteleError: a staging model is missing; its rows would land and be in no fact.
    """
    load_suite(settings().expectations_dir / "landing" / feed.source / f"{feed.name}.json")
    for canonical in feed.canonical:
        model = _staging(feed.source) / f"stg_{feed.source}__{canonical}.sql"
        if not model.exists():
            raise ClienteleError(
                f"{feed.id} fills {canonical}, but there is no staging model {model}",
                remedy=f"write it (dbt/README.md), or take {canonical} out of `canonical` in source.yml",
            )


def open_decisions(source: Source) -> dict[str, int]:
    """File -> how many marks of the draft are still in it."""
    places = [settings().sources_dir / source.name, _staging(source.name)]
    files = [path for place in places for path in sorted(place.glob("*.*")) if path.suffix in {".yml", ".sql"}]
    counted = {path.name: path.read_text(encoding="utf-8").count(MARK) for path in files}
    return {name: count for name, count in counted.items() if count}


def _staging(source: str) -> Path:
    return settings().dbt_dir / "models" / "staging" / source
