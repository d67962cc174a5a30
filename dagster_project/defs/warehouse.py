"""The one dbt run as assets with their tests as checks, reconciliation as a blocking check, the release."""

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets

from dagster_project import progress
from dagster_project.defs.feeds import feed_key
from dagster_project.defs.partitions import load_dates
from dagster_project.defs.session import LoadSession
from dagster_project.errors import ClienteleError
from dagster_project.landing.source import read_sources
from dagster_project.quality.worker import gate_worker
from dagster_project.serving.follow import follow
from dagster_project.settings import settings
from dagster_project.warehouse.dbt import NodeResult, left_out, manifest_path, read_manifest
from dagster_project.warehouse.expectations import table_suites

UNIQUE_ID = "dagster_dbt/unique_id"
RELEASE = dg.AssetKey(["release"])


class Translator(DagsterDbtTranslator):  # type: ignore[misc]
    """dbt's sources are the landed feeds and the ledger (`ops`); a model is known by schema and name."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            source, name = dbt_resource_props["source_name"], dbt_resource_props["name"]
            return dg.AssetKey(["ops", name]) if source == "ops" else feed_key(source, name)
        return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return _layer(dbt_resource_props)


def _layer(node: Mapping[str, Any]) -> str:
    """The schema; of a file of its own, as personal data has, the database."""
    return str(node["database"] if node["database"] == "pii" else node["schema"])


def _personal_data() -> bool:
    """Whether an enabled source has any: without it there is no pii.duckdb."""
    sources = read_sources(settings().sources_dir, settings().enabled_sources)
    return any(feed.pii for source in sources.values() for feed in source.feeds.values())


@dbt_assets(  # type: ignore[untyped-decorator]
    manifest=manifest_path(settings()),
    exclude=" ".join(left_out(settings(), personal=_personal_data())),
    name="dbt_build",
    dagster_dbt_translator=Translator(),
)
def dbt_build(context: dg.AssetExecutionContext, session: LoadSession) -> Iterator[Any]:
    load = session.load
    try:
        plan = load.make_plan()
        if plan is None:
            load.unchanged()
            progress.tell("note", "nothing new: the served release stays as it is")
            # the store may have been down when the last release came
            follow(settings(), lambda line: progress.tell("note", line))
            if failed := load.failed_feeds():
                raise dg.Failure(description=f"{len(failed)} feeds failed; see the asset checks", allow_retries=False)
            return
        changed = f" because their models changed: {', '.join(plan.rebuild)}" if plan.base and plan.rebuild else ""
        progress.tell("stage", f"dbt: {len(plan.batches)} batches, {len(plan.rebuild)} tables to rebuild{changed}")
        table_suites(load.settings, read_manifest(load.settings))  # a wrong suite is told before the build, not after
        gate_worker().start()  # it gets ready meanwhile
        results = load.build(plan, lambda kind, name, status: progress.tell("node", f"{kind} {name} {status}"))
    except ClienteleError as error:
        raise session.fail(error) from None
    yield from _events(context.assets_def, results)
    if failed_nodes := [item for item in results if not item.ok and item.status != "skipped"]:
        told = "; ".join(f"{item.resource_type} {item.name}: {item.message}" for item in failed_nodes)
        load.message = f"{len(failed_nodes)} models or tests failed: {told}"
        raise dg.Failure(description=load.message, allow_retries=False)


def _events(
    assets: dg.AssetsDefinition, results: list[NodeResult]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """One materialisation a model, one check result a test, looked up by dbt's unique id.

    A table that no enabled source fills is not run at night; it is as it was, its tests have passed, and the release
    waits for it. Nothing else can be missing: a build whose due tests did not all run fails.
    """
    ran = {item.unique_id: item for item in results}
    for spec in _in_order(assets):
        item = ran.get(spec.metadata[UNIQUE_ID])
        if item is None:
            yield dg.MaterializeResult(asset_key=spec.key, metadata={"message": "no enabled source fills it"})
        elif item.ok:
            yield dg.MaterializeResult(
                asset_key=spec.key, metadata={"seconds": item.seconds, "message": item.message or item.status}
            )
    for check in assets.check_specs:
        item = ran.get(unique_id) if (unique_id := (check.metadata or {}).get(UNIQUE_ID)) else None
        if unique_id and item is None:
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=True,
                description="not run: the table is as it was",
            )
        elif item is not None and item.status != "skipped":
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=item.status == "pass",
                severity=dg.AssetCheckSeverity.WARN if item.status == "warn" else dg.AssetCheckSeverity.ERROR,
                metadata={"seconds": item.seconds, "failures": item.failures or 0},
                description=item.message,
            )


def _in_order(assets: dg.AssetsDefinition) -> list[dg.AssetSpec]:
    """dbt's models, each after those it reads, as Dagster wants to hear of them."""
    specs = {spec.key: spec for spec in assets.specs if UNIQUE_ID in spec.metadata}
    graph = {key: [dep.asset_key for dep in spec.deps if dep.asset_key in specs] for key, spec in specs.items()}
    return [specs[key] for key in TopologicalSorter(graph).static_order()]


LAST_CUBE = dg.AssetKey(["cube", "sales_grains"])


@dg.asset_check(
    asset=LAST_CUBE,
    blocking=True,
    description="What landed = what the facts hold = what the cubes say, to the cent.",
)
def reconciliation(session: LoadSession) -> dg.AssetCheckResult:
    load = session.load
    if load.plan is None:
        return dg.AssetCheckResult(passed=True, description="nothing was built")
    progress.tell("stage", "reconciliation")
    comparisons = load.reconcile(load.plan)
    differing = [item for item in comparisons if not item.agrees]
    try:
        load.prove()
    except ClienteleError as error:
        load.message = str(error)
    return dg.AssetCheckResult(
        passed=not differing,
        metadata={"compared": len(comparisons), "differing": len(differing)},
        description="; ".join(f"{i.to_table} {i.measure}: {i.actual} against {i.expected}" for i in differing),
    )


@dg.asset(
    key=RELEASE,
    group_name="release",
    deps=[spec.key for spec in dbt_build.specs],
    description="The published warehouse: a folder a load and the link analysts open.",
    kinds={"duckdb"},
    partitions_def=load_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def release(session: LoadSession) -> Iterator[Any]:
    load = session.load
    if load.plan is None:
        return
    progress.tell("stage", "publish")
    try:
        published = load.publish(load.plan)
    except ClienteleError as error:
        raise session.fail(error) from None
    yield dg.MaterializeResult(
        metadata={
            "release": published.release,
            "path": str(load.published),
            "loads": len(published.loads),
            "file_bytes": published.file_bytes,
        }
    )
    if failed := load.failed_feeds():
        raise dg.Failure(
            description="published without what these feeds would have brought: "
            + "; ".join(result.message for result in failed),
            allow_retries=False,
        )
