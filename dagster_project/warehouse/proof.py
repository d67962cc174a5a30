"""Whether a build may be served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dagster_project.errors import LoadError
from dagster_project.quality.results import CheckResult, Severity
from dagster_project.warehouse.dbt import NodeResult
from dagster_project.warehouse.reconciliation import Comparison
from dagster_project.warehouse.releases import FILE


def prove(
    nodes: Sequence[NodeResult], comparisons: Sequence[Comparison], checks: Sequence[CheckResult], build: Path
) -> None:
    """Let a build pass in which every model, test, comparison and critical expectation is right.

    Args:
        build: its folder, where the tables are to look at and dbt's log says more.

    Raises:
        LoadError: names what failed, which table differs from which and by how much, or which rule is broken by what.
    """
    failed = [node for node in nodes if not node.ok and node.status != "skipped"]
    if failed:
        told = "".join(f"\n    {n.resource_type} {n.name}: {n.message.strip()[:300]}" for n in failed[:10])
        raise LoadError(
            f"{len(failed)} of {len(nodes)} models and tests failed; not published:{told}",
            remedy=f"see {build / 'logs' / 'dbt.log'}; the last release stays served, and the next load applies what "
            "has landed",
        )
    differing = [item for item in comparisons if not item.agrees]
    if differing:
        told = "".join(
            f"\n    {i.to_table} {i.measure}: {i.actual}, but {i.from_table} says {i.expected}"
            f" (difference {i.difference})"
            for i in differing[:10]
        )
        raise LoadError(
            f"reconciliation failed; not published:{told}",
            remedy="rebuild with `clientele load --rebuild`; if it differs again, the model is wrong",
        )
    if broken := [check for check in checks if not check.success and check.severity is Severity.CRITICAL]:
        told = "".join(f"\n    {check.message}" for check in broken[:10])
        raise LoadError(
            f"{len(broken)} critical expectations of built tables failed; not published:{told}",
            remedy=f"look at these rows in {build / FILE}, correct the data at its source, the model, or, if the rule "
            "is wrong, its suite in expectations/; the last release stays served, and the next load tries again",
        )
