"""Compacting a home's landing: under the lock, what every kept release holds, and logged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from dagster_project.errors import ClienteleError
from dagster_project.landing import compaction
from dagster_project.landing.manifest import Landing
from dagster_project.settings import Settings
from dagster_project.warehouse.erasure import finish_pending
from dagster_project.warehouse.ledger import Ledger, now
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.recovery import recover
from dagster_project.warehouse.releases import Releases


def compact_landing(
    settings: Settings, feed: str | None = None, *, dry_run: bool = False, tell: Callable[[str], object] | None = None
) -> list[dict[str, Any]]:
    """Compact the closed months of one feed, or of all; returns a record a feed and month, as in `ops.compaction`.

    Raises:
        ClienteleError: another process writes, the feed has not landed, or a file can't be written.
    """
    ledger, releases = Ledger(settings.ledger), Releases(settings.releases, settings.warehouse)
    lock = WriterLock(settings.home)
    lock.acquire(purpose="landing compact")
    try:
        recover(settings, ledger, releases)
        finish_pending(settings)
        landing = Landing(settings.landing, without=releases.decisions().skipped)
        if feed is not None and not landing.batches(feed):
            raise ClienteleError(f"nothing of {feed} has landed", remedy="see `clientele landing list`")
        loads, before = _settled(releases)
        done = []
        for month in compaction.due(landing, loads, before, feed):
            record = {
                "source": month.feed.source,
                "feed": month.feed.feed,
                "month": month.first_day.isoformat(),
                "batches": len(month.batches),
                "rows_compacted": month.rows,
                "bytes_before": month.bytes,
            }
            if not dry_run:
                if tell:
                    tell(f"{month.feed.feed_id} of {month.first_day:%Y-%m}: {len(month.batches)} batches")
                size = compaction.compact(month, settings.memory_limit, settings.threads)
                record |= {"bytes_after": size, "compacted_at": now()}
                ledger.write("compaction", max(ledger.loads()), **record)
            done.append(record)
        return done
    finally:
        lock.release()


def _settled(releases: Releases) -> tuple[set[str], date]:
    """The loads that every kept release holds, so that none can be withheld or skipped any more, and the first day of
    the month that is not over."""
    current = releases.current()
    if current is None:
        return set(), date.min
    kept = [set(release.loads) for release in releases.all()]
    return set.intersection(*kept), current.load_date.replace(day=1)
