"""The gate as landing wants it, and the checks of a feed against its own history."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dagster_project.landing.batch import FeedResult
from dagster_project.landing.extraction import Gate
from dagster_project.landing.source import Extract, Feed
from dagster_project.quality.freshness import assess_freshness, assess_volume
from dagster_project.quality.results import CheckResult, GateResult, Severity
from dagster_project.quality.worker import gate_worker
from dagster_project.settings import Settings
from dagster_project.warehouse.load import Load


def check_gate(settings: Settings, feed: Feed) -> Gate:
    """The feed's suite as a gate. A batch without rows passes without waking Great Expectations (2.5 s).

    A feed without a suite lands unjudged, and a warning says so.
    """
    suite = settings.expectations_dir / "landing" / feed.source / f"{feed.name}.json"

    def gate(batch: Path, violations: Path) -> GateResult:
        import pyarrow.parquet

        rows = pyarrow.parquet.read_metadata(batch).num_rows
        if not suite.exists():
            return GateResult((_suite_missing(feed, suite, rows),), 0, 0.0)
        if rows == 0:
            return GateResult((), 0, 0.0)
        return gate_worker().check(
            batch,
            suite,
            source=feed.source,
            feed=feed.name,
            violations=violations,
            docs_dir=settings.home / "quality" / "docs",
        )

    return gate


def _suite_missing(feed: Feed, suite: Path, rows: int) -> CheckResult:
    return CheckResult(
        source=feed.source,
        feed=feed.name,
        rule="suite_missing",
        expectation="a suite of expectations exists",
        column=None,
        severity=Severity.WARNING,
        success=False,
        element_count=rows,
        unexpected_count=rows,
        observed="no file",
        message=f"{feed.id} has no suite, so its {rows:,} new rows were not judged: write {suite}",
    )


def check_history(load: Load, feed: Feed, result: FeedResult) -> list[CheckResult]:
    """Freshness and volume of an append feed against its earlier loads; a snapshot has neither rhythm."""
    if feed.extract is not Extract.APPEND:
        return []
    past = load.landing.batches(feed.id)
    newest = [m.business_max for m in past if m.business_max]
    known: list[date] = list(newest)
    if result.manifest and result.manifest.business_max:
        newest.append(result.manifest.business_max)
    fresh = assess_freshness(
        max(newest, default=None), load.request.load_date, known, source=feed.source, feed=feed.name
    )
    volume = assess_volume(
        result.counts.accepted,
        [m.counts.accepted for m in past],
        source=feed.source,
        feed=feed.name,
        load_date=load.request.load_date,
        past_dates=[m.load_date for m in past],
    )
    return [fresh, volume]
