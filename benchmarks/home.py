"""A home of its own under `clientele load`, each load a measured process."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import BenchmarkError, Measured, run_measured, summary

COPY = "copy of the release"


@dataclass(frozen=True)
class Loaded:
    """A load that published: the process as measured and its own report."""

    process: Measured
    report: dict[str, Any]

    @property
    def stages(self) -> dict[str, float]:
        """Seconds by stage, landing of the feeds as one, and what lies outside of the stages.

        Together they are the wall time of the process.
        """
        found: dict[str, float] = {}
        for row in self.report["stages"]:
            name = "landing and gate" if row["stage"].startswith("land ") else row["stage"]
            found[name] = found.get(name, 0.0) + row["seconds"]
        found["Dagster's run, its definitions and imports"] = self.report["seconds"] - sum(found.values())
        found["start and end of the process"] = self.process.wall - self.report["seconds"]
        return found

    @property
    def copy(self) -> float:
        return self.stages[COPY]

    @property
    def without_copy(self) -> float:
        return self.process.wall - self.copy


@dataclass(frozen=True)
class Home:
    """CLIENTELE_HOME with the data it loads from.

    Attributes:
        data: folder of the source's Parquet files.
        sources: folder of source.yml files; None takes the project's own.
        keep: releases kept, as CLIENTELE_KEEP_RELEASES.
    """

    path: Path
    data: Path
    sources: Path | None = None
    keep: int = 3

    def environment(self) -> dict[str, str]:
        own = {
            "CLIENTELE_HOME": str(self.path),
            "COMPLETE_JOURNEY_DIR": str(self.data),
            "CLIENTELE_KEEP_RELEASES": str(self.keep),
        }
        return own | ({"CLIENTELE_SOURCES_DIR": str(self.sources)} if self.sources else {})

    def load(self, day: object = None, *options: str) -> Loaded:
        """`clientele load [--date DAY] [OPTIONS] --json` (which is --quiet too) as a process.

        Raises:
            BenchmarkError: the load failed, or published nothing.
        """
        date = ["--date", str(day)] if day else []
        command = [sys.executable, "-m", "dagster_project", "load", *date, *options, "--json"]
        process = run_measured(command, self.environment(), failure=_failure)
        report = json.loads(process.out)
        if report["status"] != "published":
            raise BenchmarkError(f"the load of {day} ended as {report['status']}: there was nothing to measure")
        return Loaded(process, report)

    @property
    def warehouse(self) -> Path:
        """The file served now."""
        return (self.path / "warehouse.duckdb").resolve()


def _failure(out: str) -> str:
    """Of a failed load's report what went wrong: its message and those of the feeds."""
    try:
        report = json.loads(out)
    except json.JSONDecodeError:
        return out[-3000:]
    return "\n".join([report["message"], *(feed["message"] for feed in report["feeds"] if feed["message"])])


def stage_summary(loads: Sequence[Loaded]) -> dict[str, float]:
    """Median seconds by stage, the longest first."""
    names = {name for load in loads for name in load.stages}
    medians = {name: summary([load.stages.get(name, 0.0) for load in loads])["median"] for name in names}
    return dict(sorted(medians.items(), key=lambda item: -item[1]))
