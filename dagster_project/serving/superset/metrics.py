"""Metrics of the dictionary as SQL over one table: those a BI tool can aggregate itself, over any of its rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from dagster_project.olap.dictionary import Dictionary, Measure, Metric


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
    found = []
    for metric in dictionary.metrics.values():
        if not set(dictionary.measures_of(metric)) <= set(measures):
            continue
        if sql := _sql(metric, measures, dictionary):
            found.append(TableMetric(metric.name, metric.label, metric.description, dictionary.unit(metric), sql))
    return found


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
            for name, column in rollup.counted.items():
                member = f"case when {column} > 0 then {column} end" if column.endswith("_key") else column
                found[name] = _count(f"count(distinct {member})", source.measures[name])
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


def _sql(metric: Metric, measures: dict[str, str], dictionary: Dictionary) -> str:
    """SQL of a metric that is simple, a ratio, or derived of such; empty for others."""
    given = metric.definition
    is_money = dictionary.unit(metric) == "currency"
    if metric.type == "simple":
        return measures[given["measure"]]
    if metric.type == "ratio":
        over, under = (
            _sql(dictionary.metric(given[side]), measures, dictionary) for side in ("numerator", "denominator")
        )
        if not over or not under:
            return ""
        quotient = f"{over} / nullif({under}, 0)"
        return f"cast({quotient} as decimal(19, 4))" if is_money else f"cast({over} as double) / nullif({under}, 0)"
    if metric.type != "derived":
        return ""
    parsed = sqlglot.parse_one(given["expr"], dialect="duckdb")
    for column in list(parsed.find_all(exp.Column)):
        part = _sql(dictionary.metric(column.name), measures, dictionary)
        if not part:
            return ""
        column.replace(exp.Paren(this=sqlglot.parse_one(part, dialect="duckdb")))
    return f"cast({parsed.sql(dialect='duckdb')} as {'decimal(19, 4)' if is_money else 'double'})"


def _names(expr: str) -> set[str]:
    return {column.name for column in sqlglot.parse_one(expr, dialect="duckdb").find_all(exp.Column)}
