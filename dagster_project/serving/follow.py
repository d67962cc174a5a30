"""The store after a publish: it follows, or lags and says so; a load never fails because of it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.errors import ClienteleError
from dagster_project.landing.manifest import write_durably
from dagster_project.serving.sync import Synced, release_in_store, sync
from dagster_project.settings import Settings
from dagster_project.warehouse.ledger import now
from dagster_project.warehouse.releases import Release, releases_of


def about(settings: Settings) -> Path:
    """Where the last attempt is noted, so that `status` need not ask the store."""
    return settings.home / "serving.json"


def follow(settings: Settings, tell: Callable[[str], None] = lambda _: None) -> Synced | None:
    """Bring the store to what is served, if there is a store; None and a note if that failed."""
    if not settings.pg_dsn.get_secret_value():
        return None
    try:
        done = sync(settings)
    except ClienteleError as error:
        tell(f"the PostgreSQL store lags behind: {error.message}")
        note(settings, error=str(error))
        return None
    tell(f"PostgreSQL store: {done.rows_sent:,} rows of {len(done.made_anew) + len(done.changed)} tables sent")
    note(settings, release=done.release)
    return done


def note(settings: Settings, *, release: str = "", error: str = "") -> None:
    write_durably(about(settings), json.dumps({"release": release, "error": error, "at": now()}))


def announce(settings: Settings, release: Release, tell: Callable[[str], None] = lambda _: None) -> None:
    """Tell CLIENTELE_PUBLISHED_WEBHOOK of a release, so that extracts are refreshed; unheard, it is noted only."""
    url = settings.published_webhook
    if not url:
        return
    message = {
        "event": "published",
        "text": f"Clientele published release {release.release} of {release.load_date}",
        "release": release.release,
        "load_date": release.load_date.isoformat(),
        "published_at": release.published_at,
    }
    if not url.startswith(("http://", "https://")):
        tell(f"CLIENTELE_PUBLISHED_WEBHOOK={url!r} is no http(s) address: nobody was told of the release")
        return
    try:
        request = urllib.request.Request(url, json.dumps(message).encode(), {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - checked above
            answer.read()
    except OSError as error:
        tell(f"CLIENTELE_PUBLISHED_WEBHOOK was not told of the release: {error}")


def compare(settings: Settings) -> dict[str, Any]:
    """Both sides: releases, and the tables whose rows differ.

    Raises:
        ConfigurationError, StoreError: there is no store, or it does not answer.
    """
    served = releases_of(settings).current()
    held = release_in_store(settings)
    rows = {name: sum(count for count, _ in parts.values()) for name, parts in held.parts.items()}
    tables = served.tables if served else {}
    return {
        "served": served.release if served else None,
        "served_load_date": served.load_date.isoformat() if served else None,
        "store": held.release or None,
        "store_load_date": held.load_date or None,
        "synced_at": held.synced_at or None,
        "up_to_date": served is not None and held.release == served.release,
        "tables": [
            {"table": name, "served": tables.get(name), "store": count, "same": tables.get(name, count) == count}
            for name, count in sorted(rows.items())
        ],
    }
