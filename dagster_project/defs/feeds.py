"""One asset a feed: landing it is its materialisation, the gate, freshness and volume are its checks.

The checks do not block: a feed that fails lands nothing, the others go on, and the one dbt run follows.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project import progress
from dagster_project.defs.partitions import load_dates
from dagster_project.defs.session import LoadSession
from dagster_project.landing.batch import FeedResult, Outcome
from dagster_project.landing.source import Feed, read_sources
from dagster_project.quality.results import CheckResult
from dagster_project.settings import settings
from dagster_project.warehouse.checks import check_gate, check_history

CHECKS = ("gate", "freshness", "volume")
RETRIES = 2
SECONDS_TO_RETRY = 5


def feed_key(source: str, feed: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", source, feed])


def feed_assets() -> list[dg.AssetsDefinition]:
    sources = read_sources(settings().sources_dir, settings().enabled_sources)
    return [feed_asset(feed) for source in sources.values() for feed in source.feeds.values()]


def feed_asset(feed: Feed) -> dg.AssetsDefinition:
    key = feed_key(feed.source, feed.name)

    @dg.asset(
        key=key,
        group_name="landing",
        description=feed.description,
        kinds={"parquet", feed.extract.value},
        tags={"class": feed.data_class.value, "source": feed.source},
        partitions_def=load_dates,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[dg.AssetCheckSpec(name, asset=key) for name in CHECKS],
        output_required=True,
    )
    def land(context: dg.AssetExecutionContext, session: LoadSession) -> Iterator[Any]:
        load = session.load
        if load.request.as_of:
            yield dg.MaterializeResult(metadata={"outcome": "not landed: an as-of load reads what has landed"})
            yield from (dg.AssetCheckResult(passed=True, check_name=name) for name in CHECKS)
            return
        progress.tell("feed", feed.id)
        checks: list[CheckResult] = []

        def judge(result: FeedResult) -> list[dict[str, Any]]:
            checks.extend(result.verdict.checks if result.verdict else ())  # type: ignore[attr-defined]
            checks.extend(check_history(load, feed, result))
            return [check.as_record() for check in checks]

        is_last_try = context.retry_number >= RETRIES
        result = load.land(feed, check_gate(settings(), feed), judge, is_last_try=is_last_try)
        if result.transient and not is_last_try:
            progress.tell("note", f"{result.message}; trying again")
            raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=SECONDS_TO_RETRY)
        progress.tell("note", _told(result))
        yield dg.MaterializeResult(
            metadata={
                "outcome": result.outcome.value,
                "message": f"{result.message} {result.remedy}".strip() or "none",
                "drift": "\n".join(result.drift) or "none",
                **{f"rows_{name}": value for name, value in result.counts.model_dump().items()},
            }
        )
        yield from _check_results(result, checks)

    return land


def _check_results(result: FeedResult, checks: list[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    for name in CHECKS:
        own = [c for c in checks if (c.rule == name) == (name != "gate") and (name != "gate" or c.rule not in CHECKS)]
        broken = [check for check in own if not check.success]
        failed = name == "gate" and result.outcome is Outcome.FAILED
        yield dg.AssetCheckResult(
            check_name=name,
            passed=not (broken or failed),
            severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
            description=result.message if failed else "\n".join(check.message for check in broken),
            metadata={"rules": len(own), "broken": len(broken)},
        )


def _told(result: FeedResult) -> str:
    if result.outcome is Outcome.FAILED:
        return f"FAILED {result.message}\n  -> {result.remedy}"
    counts = result.counts
    aside = f", {counts.quarantined:,} to quarantine" if counts.quarantined else ""
    rejected = f", {counts.rejected:,} rejected" if counts.rejected else ""
    drift = f" (drift: {'; '.join(result.drift)})" if result.drift else ""
    taken = f"{counts.read:,} read, {counts.accepted:,} new{aside}{rejected}"
    return f"{result.feed.id}: {taken}, {result.seconds:.1f} s{drift}"
