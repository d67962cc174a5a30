"""Questions asked of the cube and of the fact, side by side; and how long a question takes to become SQL."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import PROJECT, BenchmarkError, Measured, run_measured
from benchmarks.questions import QUESTIONS, Question
from dagster_project.olap.cube import Cube
from dagster_project.olap.query import Query
from dagster_project.olap.querylog import QueryLog

# A cube query takes milliseconds: it is asked so often for each time that the fact is.
OFTEN = 5
# Declared doubles: ratios and shares.
CLOSE = 1e-9
# In the words of both: metrics, levels of ours, levels of MetricFlow.
MF_QUESTIONS = (
    ("net_sales", "product.department", "product__department"),
    ("orders,buyers", "store.store_id", "store__store_id"),
    ("average_order_value", "calendar.month", "calendar__calendar_month"),
)


@dataclass
class Times:
    """Seconds, one a run."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def take(self, work: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)
        return found

    @property
    def median(self) -> float:
        return statistics.median(self.wall)

    @property
    def median_cpu(self) -> float:
        return statistics.median(self.cpu)


@dataclass
class Asked:
    """A question as it was answered at one size: by the cube, by its SQL alone, by the fact."""

    question: Question
    answered_by: list[str]
    rows: int
    cube: Times = field(default_factory=Times)
    raw: Times = field(default_factory=Times)
    fact: Times = field(default_factory=Times)

    @property
    def ratio(self) -> float:
        """How many times faster than the fact."""
        return self.fact.median / self.cube.median

    @property
    def cpu_ratio(self) -> float:
        return self.fact.median_cpu / self.cube.median_cpu


def ask_all(warehouse: Path, log: Path, repeat: int) -> list[Asked]:
    """Ask every question of cube and fact in turns, on one connection, after one round that is not counted.

    Raises:
        BenchmarkError: an answer from the cube is not the answer from the fact.
    """
    cube = Cube(warehouse, QueryLog(log))
    asked = [_compared(cube, question) for question in QUESTIONS]
    for _ in range(repeat):
        for found in asked:
            query = _query(found.question)
            sql = cube.compile(query).sql
            for _ in range(OFTEN):
                found.cube.take(lambda query=query: cube.ask(query))
                found.raw.take(lambda sql=sql: cube.connection.sql(sql).to_arrow_table())
            found.fact.take(lambda sql=found.question.fact: cube.connection.sql(sql).to_arrow_table())
    cube.close()
    return asked


def _query(question: Question) -> Query:
    return Query.of(question.metrics, question.by, question.where)


def _compared(cube: Cube, question: Question) -> Asked:
    answer = cube.ask(_query(question))
    levels = answer.statement.levels
    expected = cube.connection.execute(question.fact).fetchall()
    same_rows(question.name, [tuple(row.values()) for row in answer.records()], expected, levels)
    return Asked(question, answer.statement.answered_by, len(expected))


def same_rows(
    what: str, ours: Sequence[Sequence[Any]], theirs: Sequence[Sequence[Any]], levels: int, close: float = CLOSE
) -> None:
    """Raises BenchmarkError unless both have the same cells, doubles within a relative `close`."""

    def key(row: Sequence[Any]) -> tuple[str, ...]:
        return tuple(str(cell) for cell in row[:levels])

    if len(ours) != len(theirs) or not ours:
        raise BenchmarkError(f"{what}: the cube answers {len(ours):,} rows, the fact {len(theirs):,}")
    for one, other in zip(sorted(ours, key=key), sorted(theirs, key=key), strict=True):
        if len(one) != len(other) or not all(_same(*pair, close) for pair in zip(one, other, strict=True)):
            raise BenchmarkError(f"{what}: the cube says {one}, the fact {other}")


def _same(one: Any, other: Any, close: float) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return None not in {one, other} and abs(float(one) - float(other)) <= close * max(1.0, abs(float(one)))
    return bool(one == other)


def first_compiles(warehouse: Path) -> list[float]:
    """Seconds to compile each question in a cube that is open, for the first time."""
    cube = Cube(warehouse)
    _ = cube.sizes
    times = Times()
    for query in map(_query, QUESTIONS):
        times.take(lambda query=query: cube.compile(query))
    cube.close()
    return times.wall


@dataclass(frozen=True)
class Compiled:
    """One question made SQL by a process of each; `inner` are seconds that MetricFlow itself says it took."""

    question: str
    ours: list[Measured]
    theirs: list[Measured]
    inner: list[float]


def compile_both(warehouse: Path, target: Path, work: Path, repeat: int) -> list[Compiled]:
    """`mf query --explain` against a process that opens the release and compiles; their SQL must answer the same.

    Args:
        warehouse: a file named warehouse.duckdb, which MetricFlow's SQL names.
        target: the release's dbt target folder, with the semantic manifest.
    """
    project = shutil.copytree(PROJECT / "dbt", work / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    (project / "target").mkdir()
    shutil.copy(target / "semantic_manifest.json", project / "target")
    mf = Path(sys.executable).with_name("mf")
    env = {"CLIENTELE_BUILD": str(warehouse), "DBT_PROFILES_DIR": str(project), "CLIENTELE_STAGING": "{}"}
    found = []
    for metrics, level, theirs in MF_QUESTIONS:
        script = (
            "import sys; from pathlib import Path; from dagster_project.olap.cube import Cube;"
            "from dagster_project.olap.query import Query;"
            "print(Cube(Path(sys.argv[1])).compile(Query.of(sys.argv[2], sys.argv[3])).sql)"
        )
        told = f"cd {project} && exec {mf} query --metrics {metrics} --group-by {theirs} --explain"
        one, other = [], []
        for _ in range(repeat):
            one.append(run_measured([sys.executable, "-c", script, str(warehouse), metrics, level], {}))
            other.append(run_measured(["/bin/sh", "-c", told], env))
        inner = [_inner_seconds(run.out) for run in other]
        _same_answer(warehouse, metrics, level, other[0].out)
        found.append(Compiled(f"{metrics} by {level}", one, other, inner))
    return found


def _inner_seconds(out: str) -> float:
    return float(re.findall(r"completed after ([\d.]+) seconds", out)[0])


def _same_answer(warehouse: Path, metrics: str, level: str, out: str) -> None:
    """The cube rounds money that is a ratio to four places, MetricFlow does not."""
    cube = Cube(warehouse)
    sql = re.sub(r"^.*?^(?=SELECT|WITH)", "", out, flags=re.S | re.M)
    theirs = [("(unknown)" if row[0] is None else row[0], *row[1:]) for row in cube.connection.execute(sql).fetchall()]
    ours = [tuple(row.values()) for row in cube.query(metrics, by=level).records()]
    same_rows(f"MetricFlow's {metrics} by {level}", ours, theirs, 1, close=1e-4)
    cube.close()


def process_figures(out: str) -> dict[str, dict[str, float]]:
    """Wall and CPU seconds that a process of `benchmarks.grains` printed."""
    found: dict[str, dict[str, float]] = json.loads(out)
    return found
