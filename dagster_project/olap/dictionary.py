"""The metric dictionary of a release, read from its `cube.catalog`: measures, metrics, dimensions, rollups."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb

from dagster_project.errors import ClienteleError


class CubeError(ClienteleError):
    """A question the cube can't answer: a name it does not know, or a combination that makes no sense."""


@dataclass(frozen=True)
class Measure:
    """An aggregate over the rows of one source; `expr` is SQL over its columns."""

    name: str
    source: str
    agg: str
    expr: str
    data_type: str
    unit: str

    @property
    def is_additive(self) -> bool:
        return self.agg in {"sum", "count"}


@dataclass(frozen=True)
class Level:
    """A level of a dimension, named `<dimension>.<level>`; `expr` is SQL over the dimension's table."""

    name: str
    dimension: str
    expr: str
    data_type: str
    description: str

    @property
    def column(self) -> str:
        """Its column within a compiled query."""
        return self.name.replace(".", "__")

    @property
    def is_text(self) -> bool:
        return self.data_type.lower() == "varchar"


@dataclass(frozen=True)
class Dimension:
    """A dimension: facts find its members by `key`. `hierarchies` order levels from coarse to fine."""

    name: str
    label: str
    description: str
    table: str
    key: str
    levels: dict[str, Level]
    hierarchies: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rollup:
    """A table that is aggregated already.

    Attributes:
        grain: value of the table's column `grain`, where it holds several.
        period: calendar level of `day`: day, week, month, quarter, year; `all` for none.
        levels: level -> column; `keys`: dimension -> column its members are found by.
        summed: measures that are sums in it.
        counted: measures whose members it holds: measure -> column to count distinct.
        exact: measures counted in each cell already: right only for exactly these cells.
    """

    name: str
    table: str
    grain: str | None
    period: str
    day: str
    levels: dict[str, str]
    keys: dict[str, str]
    summed: tuple[str, ...]
    counted: dict[str, str]
    exact: tuple[str, ...]

    def member(self, measure: str) -> str:
        """SQL of what a measure counts distinct; keys of special members do not count."""
        column = self.counted[measure]
        return f"case when {column} > 0 then {column} end" if column.endswith("_key") else column


# one object a name in a dictionary, so compared as such: what speaks of a source can be a key
@dataclass(frozen=True, eq=False)
class Source:
    """Rows that measures are taken of: a fact, or a view over it that has more columns.

    people: the measure that counts whose rows they are; empty where they are nobody's.
    snapshots: the table that lists the days a periodic snapshot was taken on, in a column named as `day`; empty where
        rows are events. Measures of a snapshot are semi-additive: over time, the last one of a period counts.
    """

    name: str
    subject: str
    table: str
    fact: str
    day: str
    entities: dict[str, str]
    measures: dict[str, Measure]
    rollups: tuple[Rollup, ...]
    people: str
    snapshots: str = ""


@dataclass(frozen=True)
class Metric:
    """What is asked for. `definition` is MetricFlow's: type and parameters."""

    name: str
    subject: str
    label: str
    description: str
    unit: str
    formula_source: str
    definition: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.definition["type"])


@dataclass(frozen=True)
class Subject:
    """What metrics are about. `defaults`: those shown when none is named."""

    name: str
    label: str
    description: str
    defaults: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """What a role may see.

    Attributes:
        where: the condition on all rows it reads; empty for none.
        min_customers: a cell of fewer people is hidden; 0 for none.
    """

    name: str
    description: str
    where: str
    min_customers: int


@dataclass(frozen=True)
class Unmeasured:
    """A concept no table answers yet."""

    name: str
    label: str
    description: str
    waits_for: str


@dataclass(frozen=True)
class Dictionary:
    """All of it, by name."""

    subjects: dict[str, Subject]
    sources: dict[str, Source]
    dimensions: dict[str, Dimension]
    metrics: dict[str, Metric]
    policies: dict[str, Policy]
    unmeasured: dict[str, Unmeasured]

    def metric(self, name: str) -> Metric:
        return found(self.metrics, name, "metric")

    def measure(self, name: str) -> Measure:
        known = {measure: about for source in self.sources.values() for measure, about in source.measures.items()}
        return found(known, name, "measure")

    @property
    def levels(self) -> dict[str, Level]:
        return {level.name: level for dimension in self.dimensions.values() for level in dimension.levels.values()}

    def level(self, name: str) -> Level:
        """By its full name, or by the level alone where only one dimension has it."""
        levels = self.levels
        if name not in levels and "." not in name:
            named = [level for level in levels.values() if level.name.partition(".")[2] == name]
            if len(named) == 1:
                return named[0]
            if named:
                raise CubeError(
                    f"several dimensions have a level {name!r}",
                    remedy=f"say which: {', '.join(level.name for level in named)}",
                )
        return found(levels, name, "level")

    def subject(self, name: str) -> Subject:
        return found(self.subjects, name, "subject")

    def metrics_of(self, subject: Subject) -> list[Metric]:
        return [metric for metric in self.metrics.values() if metric.subject == subject.name]

    def measures_of(self, metric: Metric) -> list[str]:
        """Names of the measures a metric rests on."""
        given = metric.definition
        if metric.type == "derived":
            parts = given["metrics"]
        elif metric.type == "ratio":
            parts = [given["numerator"], given["denominator"]]
        else:
            return list(given["measures"]) if "measures" in given else [given["measure"]]
        return list(dict.fromkeys(name for part in parts for name in self.measures_of(self.metric(part))))

    def types(self, metric: Metric) -> set[str]:
        """Types of the metric and of those it rests on."""
        given = metric.definition
        parts = given.get("metrics", []) + [given[side] for side in ("numerator", "denominator") if side in given]
        return {metric.type}.union(*(self.types(self.metric(name)) for name in parts))

    def unit(self, metric: Metric) -> str:
        """That of the metric, else that of its measure."""
        return metric.unit or self.measure(self.measures_of(metric)[0]).unit

    def is_additive(self, metric: Metric) -> bool:
        if metric.type != "simple":
            return False
        measure = self.measure(metric.definition["measure"])
        return measure.is_additive and not self.sources[measure.source].snapshots

    def dimensions_of(self, metric: Metric) -> list[str]:
        """Names of the dimensions that every source of the metric has."""
        sources = {self.measure(name).source for name in self.measures_of(metric)}
        return [
            name for name in self.dimensions if all(name in self.sources[source].entities for source in sorted(sources))
        ]


Named = TypeVar("Named")


def found(known: Mapping[str, Named], name: str, kind: str) -> Named:
    """Raises CubeError with the nearest names."""
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    last = name.rpartition(".")[2]
    near += [other for other in known if last and last in other and other not in near][:3]
    remedy = f"did you mean {', '.join(near)}?" if near else f"known are: {', '.join(sorted(known)[:12])}"
    raise CubeError(f"there is no {kind} {name!r}", remedy=remedy)


def read_dictionary(con: duckdb.DuckDBPyConnection) -> Dictionary:
    """The dictionary a release was built with.

    Raises:
        CubeError: the release is older than the dictionary.
    """
    try:
        rows = con.execute(
            "select kind, name, subject, label, description, data_type, unit, source, definition from cube.catalog"
        ).fetchall()
    except duckdb.CatalogException:
        raise CubeError("this release has no metric dictionary", remedy="load once more: clientele load") from None
    return dictionary_of(dict(zip(COLUMNS, row, strict=True)) for row in rows)


COLUMNS = ("kind", "name", "subject", "label", "description", "data_type", "unit", "source", "definition")


def dictionary_of(rows: Iterable[Mapping[str, Any]]) -> Dictionary:
    """From the rows of cube.catalog."""
    by_kind: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_kind.setdefault(row["kind"], []).append(row)
    described = {row["name"]: row for row in by_kind.get("level", [])}
    return Dictionary(
        subjects={row["name"]: _subject(row) for row in by_kind.get("subject", [])},
        sources={row["name"]: _source(row) for row in by_kind.get("source", [])},
        dimensions={row["name"]: _dimension(row, described) for row in by_kind.get("dimension", [])},
        metrics={row["name"]: _metric(row) for row in by_kind.get("metric", [])},
        policies={row["name"]: _policy(row) for row in by_kind.get("policy", [])},
        unmeasured={
            row["name"]: Unmeasured(row["name"], row["label"], row["description"], row["source"])
            for row in by_kind.get("unmeasured", [])
        },
    )


def _subject(row: Mapping[str, Any]) -> Subject:
    return Subject(row["name"], row["label"], row["description"], tuple(json.loads(row["definition"])))


def _source(row: Mapping[str, Any]) -> Source:
    given = json.loads(row["definition"])
    return Source(
        name=row["name"],
        subject=row["subject"],
        table=given["table"],
        fact=given["fact"],
        day=given["day"],
        entities=given["entities"],
        measures={
            name: Measure(name, row["name"], about["agg"], about["expr"], about["type"], about["unit"])
            for name, about in given["measures"].items()
        },
        rollups=tuple(
            Rollup(**{**about, "summed": tuple(about["summed"]), "exact": tuple(about["exact"])})
            for about in given["rollups"]
        ),
        people=given.get("people") or "",
        snapshots=given.get("snapshots") or "",
    )


def _dimension(row: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]]) -> Dimension:
    given = json.loads(row["definition"])
    name = row["name"]
    levels = {}
    for level, expr in given["levels"].items():
        about = described[f"{name}.{level}"]
        levels[level] = Level(f"{name}.{level}", name, expr, about["data_type"], about["description"])
    hierarchies = {hierarchy: tuple(order) for hierarchy, order in given["hierarchies"].items()}
    return Dimension(name, row["label"], row["description"], given["table"], given["key"], levels, hierarchies)


def _metric(row: Mapping[str, Any]) -> Metric:
    return Metric(
        row["name"], row["subject"], row["label"], row["description"], row["unit"] or "", row["source"] or "",
        json.loads(row["definition"]),
    )  # fmt: skip


def _policy(row: Mapping[str, Any]) -> Policy:
    given = json.loads(row["definition"])
    return Policy(row["name"], row["description"], given.get("where") or "", int(given.get("min_customers") or 0))
