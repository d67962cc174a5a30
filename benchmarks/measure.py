"""Measuring processes from outside, and what is computed from the measurements."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LIBRARIES = ("duckdb", "dbt-core", "dbt-duckdb", "dagster", "great-expectations")
# A warehouse of the caller's must not be touched; without bytecode every start compiles the project anew.
NOT_INHERITED = {"CLIENTELE_HOME", "CLIENTELE_SOURCES", "CLIENTELE_SOURCES_DIR", "PYTHONDONTWRITEBYTECODE"}

_began = time.perf_counter()


class BenchmarkError(Exception):
    """A measured command failed, or two sides that must agree do not: there is nothing to report."""


@dataclass(frozen=True)
class Measured:
    """One finished process: wall and CPU in seconds, peak resident memory in MB, what it printed."""

    wall: float
    cpu: float
    peak_mb: float
    out: str

    def figures(self) -> dict[str, float]:
        return {"wall": round(self.wall, 3), "cpu": round(self.cpu, 3), "peak_mb": round(self.peak_mb)}


def run_measured(
    command: Sequence[str], env: Mapping[str, str], failure: Callable[[str], str] = lambda out: out[-3000:]
) -> Measured:
    """Run a command to its end and measure it.

    What earlier runs left to be written to the disk is written first, so that no run pays for another.

    Args:
        env: added to what is inherited.
        failure: what to tell of the output of a command that failed.

    Raises:
        BenchmarkError: the command failed; says what it printed.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    os.sync()
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("timed.py")), str(result), *command],
            env=inherited | dict(env),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not result.exists():
            told = f"{failure(done.stdout)}\n{done.stderr[-3000:]}".strip()
            raise BenchmarkError(f"exit {done.returncode} of {' '.join(command)[:300]}\n{told}")
        return Measured(**json.loads(result.read_text(encoding="utf-8")), out=done.stdout)


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest."""
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def summaries(runs: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """The summary of each figure over the runs."""
    return {name: summary([run.figures()[name] for run in runs]) for name in ("wall", "cpu", "peak_mb")}


def process_rows(runs: Mapping[str, Sequence[Measured]]) -> list[dict[str, Any]]:
    """A row of the report for each measured process."""
    rows = []
    for name, measured in runs.items():
        found = summaries(measured)
        rows.append(
            {
                "process": name,
                "runs": len(measured),
                "wall s": found["wall"]["median"],
                "min-max": f"{found['wall']['min']:.1f}-{found['wall']['max']:.1f}",
                "CPU s": found["cpu"]["median"],
                "peak MB": found["peak_mb"]["median"],
            }
        )
    return rows


def ratio(ours: Sequence[Measured], theirs: Sequence[Measured]) -> dict[str, float]:
    """Wall time of ours over theirs: of the medians, and the least and greatest of the pairs run side by side."""
    pairs = [one.wall / other.wall for one, other in zip(ours, theirs, strict=True)]
    medians = statistics.median(run.wall for run in ours) / statistics.median(run.wall for run in theirs)
    return {"median": round(medians, 3), "min": round(min(pairs), 3), "max": round(max(pairs), 3)}


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float | None:
    """b in seconds = a * size ** b, by least squares on logarithms; None for fewer than two sizes."""
    if len(set(sizes)) < 2:
        return None
    return round(statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, seconds))).slope, 3)


def tell(text: str) -> None:
    """A line of progress on stderr, with the seconds since the start."""
    print(f"{time.perf_counter() - _began:7.0f} s  {text}", file=sys.stderr, flush=True)


def machine(folder: Path) -> dict[str, Any]:
    """What the figures were measured on: processor, memory, file system of `folder`, versions, commit."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "file_system": _file_system(folder),
        "system": f"{platform.system()} {platform.release()}",
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        "settings": {k: v for k, v in os.environ.items() if k in {"CLIENTELE_THREADS", "CLIENTELE_MEMORY_LIMIT"}},
        "commit": _git("rev-parse", "--short", "HEAD") + (" and changes" if _git("status", "--porcelain") else ""),
        "measured_at": time.strftime("%Y-%m-%d %H:%M %Z"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _file_system(folder: Path) -> str:
    """Its type matters: where files can be reflinked the copy of the release costs nothing."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return "unknown"
    places = {Path(fields[1]): fields[2] for fields in map(str.split, mounts)}
    return places[max((place for place in places if folder.is_relative_to(place)), key=lambda place: len(str(place)))]


def _git(*args: str) -> str:
    done = subprocess.run(["git", *args], cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or ("unknown" if done.returncode else "")
