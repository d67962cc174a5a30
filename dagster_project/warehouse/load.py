"""One load from lock to release: land, plan, build, reconcile, publish, and account for all of it.

Nothing here knows Dagster; `defs/` calls the steps, each once, in order.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.clv import artefact
from dagster_project.errors import ClienteleError, LoadError
from dagster_project.landing.batch import FeedResult, Outcome, land_feed
from dagster_project.landing.extraction import Gate, Night
from dagster_project.landing.manifest import Landing
from dagster_project.landing.pii import Pii, open_pii
from dagster_project.landing.postgres.session import Sessions
from dagster_project.landing.quarantine import Quarantine
from dagster_project.landing.source import Extract, Feed, Source, read_sources
from dagster_project.quality.results import CheckResult
from dagster_project.settings import Settings
from dagster_project.warehouse import dbt
from dagster_project.warehouse.erasure import finish_pending
from dagster_project.warehouse.fingerprints import project_fingerprint
from dagster_project.warehouse.ledger import Ledger, batch_figures, new_load_id, now
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.plan import Plan, fit_name, make_plan
from dagster_project.warehouse.proof import prove
from dagster_project.warehouse.reconciliation import Comparison, reconcile
from dagster_project.warehouse.recovery import recover, settle_withheld
from dagster_project.warehouse.releases import Release, Releases
from dagster_project.warehouse.request import Request
from dagster_project.warehouse.store import DuckStore, Store

BROKE_OFF = "broke off before publishing"


@dataclass
class Load:
    """A load in progress, holding the writer's lock."""

    settings: Settings
    request: Request
    load_id: str
    sources: dict[str, Source]
    ledger: Ledger
    releases: Releases
    store: Store
    landing: Landing
    quarantine: Quarantine
    lock: WriterLock
    took_lock: bool
    started: float
    pii: Pii | None = None
    run_id: str = ""
    sessions: Sessions = field(default_factory=Sessions)
    recovered: list[str] = field(default_factory=list)
    feeds: dict[str, FeedResult] = field(default_factory=dict)
    nodes: list[dbt.NodeResult] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    plan: Plan | None = None
    release: Release | None = None
    published: Path | None = None
    status: str = "running"
    message: str = ""
    timings: dict[str, float] = field(default_factory=dict)

    @classmethod
    def start(
        cls,
        settings: Settings,
        request: Request,
        run_id: str = "",
        make_store: Callable[[Settings, str, Ledger], Store] = DuckStore,
    ) -> Load:
        """Take the lock, close what a killed load left, and open the ledger for a new load.

        Args:
            make_store: the engine to build on.

        Raises:
            LockedError: another load runs. ClienteleError: the request can't be met.
        """
        lock = WriterLock(settings.home)
        took = lock.acquire(request.wait, f"load of {request.load_date}")
        try:
            return cls._started(settings, request, run_id, lock, took, make_store)
        except BaseException:
            if took:
                lock.release()
            raise

    @classmethod
    def _started(
        cls,
        settings: Settings,
        request: Request,
        run_id: str,
        lock: WriterLock,
        took: bool,
        make_store: Callable[[Settings, str, Ledger], Store],
    ) -> Load:
        sources = read_sources(settings.sources_dir, settings.enabled_sources)
        feeds = [feed for source in sources.values() for feed in source.feeds.values()]
        finished = finish_pending(settings)
        artefact.remove_uncommitted(settings.home)
        pii = open_pii(settings.home, settings.landing, settings.pii_key.get_secret_value(), feeds)
        ledger = Ledger(settings.ledger)
        releases = Releases(settings.releases, settings.warehouse)
        recovered = finished + recover(settings, ledger, releases)
        if request.as_of and request.as_of not in ledger.loads():
            raise ClienteleError(
                f"there is no load {request.as_of}", remedy="see `clientele status --loads` for the load ids"
            )
        load_id = new_load_id(max(ledger.loads(), default=None))
        skipped = settle_withheld(
            releases, load_id, resume=request.resume, skip=request.skip, reads_only=request.as_of is not None
        )
        landing = Landing(settings.landing, without=skipped, up_to=request.as_of)
        load = cls(
            settings=settings,
            request=request,
            load_id=load_id,
            sources=sources,
            ledger=ledger,
            releases=releases,
            store=make_store(settings, load_id, ledger),
            landing=landing,
            quarantine=Quarantine(settings.quarantine, landing),
            lock=lock,
            took_lock=took,
            started=time.perf_counter(),
            pii=pii,
            run_id=run_id,
            recovered=recovered,
        )
        kind = "as-of" if request.as_of else "rebuild" if request.rebuild else "nightly"
        ledger.write(
            "load", load_id, load_date=request.load_date, kind=kind, engine=load.store.engine, status="running",
            started_at=now(), run_id=run_id,
        )  # fmt: skip
        return load

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage into the ledger."""
        began, started = now(), time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            self.timings[name] = self.timings.get(name, 0.0) + seconds
            self.ledger.write("stage_timing", self.load_id, stage=name, started_at=began, seconds=seconds)

    def feed_list(self) -> list[Feed]:
        return [feed for source in self.sources.values() for feed in source.feeds.values()]

    def land(
        self,
        feed: Feed,
        gate: Gate,
        checks: Callable[[FeedResult], list[dict[str, Any]]],
        *,
        is_last_try: bool = True,
    ) -> FeedResult:
        """Land one feed and write its batch and check results to the ledger.

        Args:
            checks: turns the result into records of ops.quality_result (the gate's, freshness, volume).
            is_last_try: False when a transient failure will be tried again; it is then not recorded.
        """
        night = Night(
            load_id=self.load_id,
            load_date=self.request.load_date,
            landing=self.landing,
            quarantine=self.quarantine,
            memory_limit=self.settings.memory_limit,
            threads=self.settings.threads,
            lookback_days=self.request.lookback_days,
            accept_deletes=self.request.accept_deletes,
            pii=self.pii,
            sessions=self.sessions,
        )
        with self.stage(f"land {feed.id}"):
            result = land_feed(night, self.sources[feed.source], feed, gate)
        if result.transient and not is_last_try:
            return result
        self.feeds[feed.id] = result
        self.ledger.write(
            "batch",
            self.load_id,
            source=feed.source,
            feed=feed.name,
            canonical=", ".join(feed.canonical),
            load_date=self.request.load_date,
            mode=feed.extract.value,
            outcome=result.outcome.value,
            seconds=result.seconds,
            message=result.told,
            **batch_figures(result.counts, result.manifest),
        )
        for record in checks(result):
            self.ledger.write("quality_result", self.load_id, **record)
        return result

    def make_plan(self) -> Plan | None:
        """What there is to build; None when nothing is new: no row, no later date, no changed model."""
        self.sessions.close()  # all feeds are read
        landing = self._committed()
        current = self.store.releases.current()
        project = project_fingerprint(
            self.settings.dbt_dir,
            dbt.staging_models(self.settings),
            *(json.dumps([feed.id, feed.system, feed.canonical, feed.columns, feed.pii]) for feed in self.feed_list()),
        )
        fits = artefact.known(self.settings.home, up_to=self.request.as_of)
        base = None if self.request.rebuild or self.request.as_of else current
        if base and set(landing.without) & set(base.loads):
            base = None  # it holds rows of a load skipped since: nothing can be grown on it
        if (
            base is not None
            and base.project == project
            and base.load_date >= self.request.load_date
            and landing.loads() <= set(base.loads)
            and base.fit == fit_name(fits)
        ):
            return None
        if not list(landing):
            raise LoadError(
                "nothing has landed yet, so there is nothing to build",
                remedy="correct what the feeds report above and load again",
            )
        self.plan = make_plan(
            load_id=self.load_id,
            load_date=self._until(current),
            sources=self.sources,
            landing=landing,
            base=base,
            parsed=dbt.read_manifest(self.settings),
            project=project,
            made_by=self.store.made_by,
            fits=fits,
        )
        return self.plan

    def _until(self, current: Release | None) -> date:
        """The date the build reaches: never before the served one's; that of the load an as-of load goes back to."""
        if self.request.as_of:
            return date.fromisoformat(self.ledger.load(self.request.as_of)["load_date"])
        return max(self.request.load_date, current.load_date) if current else self.request.load_date

    def _committed(self) -> Landing:
        """What has landed by now, this load's batches included."""
        return Landing(self.settings.landing, self.landing.without, self.landing.up_to)

    def build(self, plan: Plan, on_node: Callable[[str, str, str], None] | None = None) -> list[dbt.NodeResult]:
        """Copy the base release (or start empty), bring `ops` up to date, run dbt. Returns all results."""
        with self.stage("copy of the release"):
            self.store.begin(plan)
        self.store.copy_ledger()
        with self.stage("dbt"):
            self.nodes = self.store.build(plan, on_node)
        return self.nodes

    def reconcile(self, plan: Plan) -> list[Comparison]:
        """Compare feeds, facts and cubes in the build; every result goes to the ledger."""
        with (
            self.stage("reconciliation"),
            self.store.reading() as con,
        ):
            self.comparisons = reconcile(con, dbt.read_manifest(self.settings), self._committed(), self.feed_list())
        for item in self.comparisons:
            self.ledger.write(
                "reconciliation",
                self.load_id,
                from_table=item.from_table,
                to_table=item.to_table,
                measure=item.measure,
                expected=item.expected,
                actual=item.actual,
                difference=item.difference,
            )
        self._restatements(plan)
        return self.comparisons

    def _restatements(self, plan: Plan) -> None:
        """Past months this load changed, and by how much; a first load changes none."""
        if plan.base is None:
            return
        served = f"{plan.base.load_date:%Y-%m-01}"
        for manifest in plan.batches:
            for month, totals in manifest.months.items():
                if month < served and manifest.mode != Extract.SNAPSHOT:
                    for measure, change in totals.items():
                        self.ledger.write(
                            "restatement",
                            self.load_id,
                            feed=manifest.feed_id,
                            month=month,
                            measure=measure,
                            change=change,
                        )

    def publish(self, plan: Plan) -> Release:
        """Close the build, prove it, and serve it.

        Raises:
            LoadError: a test or critical expectation failed, a comparison differs, or the reopened file is not what
                was written.
        """
        self.prove()
        status = "partial" if self.failed_feeds() else "published"
        with self.stage("publish"):
            at = now()
            served = None if self.request.as_of else self.load_id
            about: dict[str, Any] = {
                "release": self.load_id,
                "action": "as-of" if self.request.as_of else "publish",
                "released_at": at,
                "rebuilt_tables": ", ".join(plan.rebuild) if plan.base else "all",
            }
            closed = {"load_id": self.load_id, "status": status, "release": served, "finished_at": at}
            self.release = Release(
                release=self.load_id,
                load_date=plan.load_date,
                published_at=at,
                loads=plan.loads,
                fingerprints=plan.fingerprints,
                project=plan.project,
                fit=fit_name(plan.fits),
                sums={item.query: str(item.actual) for item in self.comparisons},
                **self.store.seal(closed, {"load_id": self.load_id} | about),
            )
            if self.request.as_of and isinstance(self.store, DuckStore):
                self.published = self.store.keep_beside(self.release, self.request.as_of)
            else:
                self.published = self.store.publish(self.release)
            # The ledger says so after the switch: a load killed in between is closed by the next one.
            about["file_bytes"] = self.release.file_bytes
            self.ledger.write("release", self.load_id, **about)
            self.ledger.write("load", self.load_id, status=status, release=served, finished_at=now())
            self.status = status
            if not self.request.as_of:
                self.store.prune(self.settings.keep_releases)
        return self.release

    def prove(self) -> None:
        """Raises LoadError if a model, a test, a comparison or a critical expectation failed."""
        prove(self.nodes, self.comparisons, self.checks, self.store.folder)

    def failed_feeds(self) -> list[FeedResult]:
        return [result for result in self.feeds.values() if result.outcome is Outcome.FAILED]

    def unchanged(self) -> None:
        """There was nothing to build: the served release stays."""
        self.status = "partial" if self.failed_feeds() else "unchanged"

    def finish(self) -> None:
        """Close the load in the ledger and free the lock it took. Called once, whatever happened."""
        self.sessions.close()
        self.store.discard()
        if self.release is None or self.status == "running":
            self.status = "failed" if self.status == "running" else self.status
            self.message = self.message or (BROKE_OFF if self.status == "failed" else "")
            self.ledger.write("load", self.load_id, status=self.status, finished_at=now(), message=self.message[:2000])
        if self.store.folder.exists() and self.status != "failed":
            shutil.rmtree(self.store.folder)
        self.timings["total"] = time.perf_counter() - self.started
        if self.took_lock:
            self.lock.release()
