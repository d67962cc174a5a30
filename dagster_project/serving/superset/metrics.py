"""Metrics of the dictionary as SQL over one table: those a BI tool can aggregate itself, over any of its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from dagster_project.olap.compiler import formula
from dagster_project.olap.dictionary import Dictionary, Measure, Metric

# Types of metrics that are one aggregate, or made of such
AGGREGATES = {"simple", "ratio", "derived"}


@dataclass(frozen=True)
class TableMetric:
    """A metric as an aggregate over a table; `sql` is DuckDB's."""

    name: str
    label: str
    description: str
    unit: str
    sql: str


def metrics_over(table: str, columns: Collection[str], dictionary: Dictionary) -> list[TableMetric]:
    """Metrics whose measures the table holds, in the dictionary's order.

    A fact, or the view over it, holds all measures of its source; a grain of the cube those that are sums in it, and
    counts whose members it lists. Counts of a grain's cells are columns only: they can't be summed. Metrics of a
    periodic snapshot are left out: of a period its last day counts, which an aggregate alone can't say.
    """
    measures = _measures(table, set(columns), dictionary)
    return [
        TableMetric(
            metric.name, metric.label, metric.description, dictionary.unit(metric), _sql(metric, measures, dictionary)
        )
        for metric in dictionary.metrics.values()
        if dictionary.types(metric) <= AGGREGATES and set(dictionary.measures_of(metric)) <= set(measures)
    ]


def day_of(table: str, dictionary: Dictionary) -> str | None:
    """The column of days that the dictionary counts the table's rows by."""
    for source in dictionary.sources.values():
        if table in {source.table, source.fact}:
            return source.day
        for rollup in source.rollups:
            if table == f"cube.{rollup.name}":
                return rollup.day if rollup.period != "all" else None
    return None


def _measures(table: str, columns: set[str], dictionary: Dictionary) -> dict[str, str]:
    """Measure -> SQL over the table's rows."""
    found: dict[str, str] = {}
    for source in dictionary.sources.values():
        if table in {source.table, source.fact} and not source.snapshots:
            known = {name: about for name, about in source.measures.items() if _names(about.expr) <= columns}
            found |= {name: _aggregate(about) for name, about in known.items()}
        for rollup in source.rollups:
            if table != f"cube.{rollup.name}":
                continue
            found |= {name: _cast(f"sum({name})", source.measures[name]) for name in rollup.summed}
            for name in rollup.counted:
                found[name] = _count(f"count(distinct {rollup.member(name)})", source.measures[name])
    return found


def _aggregate(measure: Measure) -> str:
    if measure.agg == "count_distinct":
        return _count(f"count(distinct {measure.expr})", measure)
    told = f"{measure.agg}({measure.expr})"
    return _count(told, measure) if measure.agg == "count" else _cast(told, measure)


def _count(sql: str, measure: Measure) -> str:
    """NULL, as a sum is, where there is no row: the table may not be measured at all, which is not 0."""
    return _cast(f"case when count(*) > 0 then {sql} end", measure)


def _cast(sql: str, measure: Measure) -> str:
    return f"cast({sql} as {measure.data_type})"


def _sql(metric: Metric, measures: Mapping[str, str], dictionary: Dictionary) -> str:
    if metric.type == "simple":
        return measures[metric.definition["measure"]]
    return formula(metric, dictionary, lambda part: _sql(part, measures, dictionary))


def _names(expr: str) -> set[str]:
    return {column.name for column in sqlglot.parse_one(expr, dialect="duckdb").find_all(exp.Column)}
