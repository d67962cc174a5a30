"""The quality gate: Great Expectations suites pushed down to DuckDB, freshness, volume, Data Docs.

Importing this package is cheap. Great Expectations (2.2-2.7 s to import) is loaded by the first
batch that is checked; a load has it checked in a process of its own (`worker`).
"""

from dagster_project.quality.freshness import assess_freshness, assess_volume
from dagster_project.quality.gate import check_batch
from dagster_project.quality.results import CheckResult, GateResult, Severity

__all__ = [
    "CheckResult",
    "GateResult",
    "Severity",
    "assess_freshness",
    "assess_volume",
    "check_batch",
]
