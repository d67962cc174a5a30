"""Whether a build may be served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dagster_project.errors import LoadError
from dagster_project.warehouse.dbt import NodeResult
from dagster_project.warehouse.reconciliation import Comparison


def prove(nodes: Sequence[NodeResult], comparisons: Sequence[Comparison], log: Path) -> None:
    """Let a build pass in which every model, test and comparison is right.

    Args:
        log: where dbt says more.

    Raises:
        LoadError: names what failed, or which table differs from which and by how much.
    """
    failed = [node for node in nodes if not node.ok and node.status != "skipped"]
    if failed:
        told = "".join(f"\n    {n.resource_type} {n.name}: {n.message.strip()[:300]}" for n in failed[:10])
        raise LoadError(
            f"{len(failed)} of {len(nodes)} models and tests failed; not published:{told}",
            remedy=f"see {log}; the last release stays served, and the next load applies what has landed",
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
