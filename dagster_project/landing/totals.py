"""Control totals: what a batch brings, per month, to be found again in the facts."""

from __future__ import annotations

from decimal import Decimal

import duckdb

from dagster_project.landing import sql
from dagster_project.landing.source import Feed

Months = dict[str, dict[str, str]]


def control_totals(
    con: duckdb.DuckDBPyConnection, feed: Feed, columns: dict[str, str], relation: str, sign: str = "1"
) -> Months:
    """Per month: rows and the declared sums, as exact decimals (doubles are rounded to 4 places first).

    Args:
        columns: those the rows have; one whose absence was accepted is NULL, and a sum of it 0.
        sign: SQL of 1 for a row that counts, -1 for one that no longer does.
    """
    exact = (f"cast(round({_value(feed, total)}, 4) as decimal(28, 4))" for total in feed.control_totals.values())
    sums = "".join(f", sum({sign} * {value})" for value in exact)
    rows = con.execute(
        f"select date_trunc('month', _business_date), sum({sign}){sums} from {_whole(feed, columns, relation)}"
        " group by 1 order by 1"
    ).fetchall()
    measures = ["rows", *feed.control_totals]
    return {
        f"{month:%Y-%m-%d}": {name: str(Decimal(value or 0)) for name, value in zip(measures, values, strict=True)}
        for month, *values in rows
    }


def _value(feed: Feed, total: str) -> str:
    """SQL of a control total's value in a row: a column, or an expression over the columns."""
    return f"cast({sql.quote(total)} as {feed.columns[total]})" if total in feed.columns else f"({total})"


def _whole(feed: Feed, columns: dict[str, str], relation: str) -> str:
    """The relation with NULL in declared columns that it lacks, for the expressions to work on."""
    lacking = [
        f"cast(null as {kind}) as {sql.quote(name)}" for name, kind in feed.columns.items() if name not in columns
    ]
    return f"(select *, {', '.join(lacking)} from {relation})" if lacking else relation


def difference(now: Months, told: list[Months]) -> Months:
    """What leads from the sum of `told` to `now`."""
    found: dict[str, dict[str, Decimal]] = {}
    for months, sign in [(now, 1), *((months, -1) for months in told)]:
        for month, totals in months.items():
            measures = found.setdefault(month, {})
            for measure, value in totals.items():
                measures[measure] = measures.get(measure, Decimal(0)) + sign * Decimal(value)
    return {month: {name: str(value) for name, value in found[month].items()} for month in sorted(found)}
