"""The store after a publish: it follows, or lags and says so; a load never fails because of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dagster_project.errors import ClienteleError
from dagster_project.landing.manifest import write_durably
from dagster_project.serving import ddl, state
from dagster_project.serving.postgres import open_store
from dagster_project.serving.sync import Synced, sync
from dagster_project.settings import Settings
from dagster_project.warehouse.ledger import now
from dagster_project.warehouse.releases import Release, releases_of
from dagster_project.webhook import post


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
    """What `clientele status` tells of the store without asking it."""
    write_durably(settings.serving, json.dumps({"release": release, "error": error, "at": now()}))


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
    try:
        post(url, message)
    except (OSError, ValueError) as error:
        tell(f"CLIENTELE_PUBLISHED_WEBHOOK was not told of the release: {error}")


def compare(settings: Settings) -> dict[str, Any]:
    """Both sides: releases, and for each table the rows that were sent and those that are there, counted now.

    Raises:
        ConfigurationError, StoreError: there is no store, or it does not answer.
    """
    served = releases_of(settings).current()
    with open_store(settings) as store:
        held = state.read(store)
        there = {name: store.ask(f"select count(*) from {ddl.quoted(name)}")[0][0] for name in sorted(held.parts)}
    sent = {name: sum(count for count, _ in parts.values()) for name, parts in held.parts.items()}
    tables = [
        {"table": name, "sent": sent[name], "store": count, "same": sent[name] == count}
        for name, count in there.items()
    ]
    return {
        "served": served.release if served else None,
        "served_load_date": served.load_date.isoformat() if served else None,
        "store": held.release or None,
        "store_load_date": held.load_date or None,
        "synced_at": held.synced_at or None,
        "up_to_date": served is not None and held.release == served.release,
        "whole": all(row["same"] for row in tables),
        "tables": tables,
    }
