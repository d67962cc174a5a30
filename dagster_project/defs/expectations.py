"""The suites of built tables as blocking asset checks: one step judges them all, each result stands with its table."""

from collections.abc import Iterator

import dagster as dg

from dagster_project import progress
from dagster_project.defs.session import LoadSession
from dagster_project.errors import ClienteleError
from dagster_project.quality.results import CheckResult, Severity
from dagster_project.settings import settings
from dagster_project.warehouse.dbt import read_manifest
from dagster_project.warehouse.expectations import LANDING, check_tables
from dagster_project.warehouse.fingerprints import published

CHECK = "expectations"


def table_expectations() -> list[dg.AssetChecksDefinition]:
    """The step, if any table has a suite. A suite of no table is told by the load, not by an asset that isn't there."""
    known = published(read_manifest(settings()))
    files = sorted(settings().expectations_dir.glob("*/*.json"))
    keys = [
        dg.AssetKey([file.parent.name, file.stem])
        for file in files
        if file.parent.name != LANDING and f"{file.parent.name}.{file.stem}" in known
    ]
    if not keys:
        return []

    @dg.multi_asset_check(
        name="table_expectations",
        specs=[
            dg.AssetCheckSpec(CHECK, asset=key, blocking=True, description="What its values must be to make sense.")
            for key in keys
        ],
    )
    def judge(session: LoadSession) -> Iterator[dg.AssetCheckResult]:
        load = session.load
        checks: list[CheckResult] = []
        if load.plan is not None:
            progress.tell("stage", "expectations")
            try:
                checks = check_tables(load)
            except ClienteleError as error:
                raise session.fail(error) from None
            try:
                load.prove()
            except ClienteleError as error:
                load.message = str(error)
        for key in keys:
            yield _told(key, [check for check in checks if [check.source, check.feed] == list(key.path)])

    return [judge]


def _told(table: dg.AssetKey, checks: list[CheckResult]) -> dg.AssetCheckResult:
    broken = [check for check in checks if not check.success]
    critical = any(check.severity is Severity.CRITICAL for check in broken)
    return dg.AssetCheckResult(
        asset_key=table,
        check_name=CHECK,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN,
        metadata={"rules": len(checks), "broken": len(broken)},
        description="\n".join(check.message for check in broken) if checks else "not built, so not judged",
    )
