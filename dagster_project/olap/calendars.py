"""Periods: which calendar levels are nested, the days a window takes of each, the last day of a snapshot in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dagster_project.olap.dictionary import CubeError, Dictionary, Level, Source
from dagster_project.olap.query import Window

# How many periods of a level make a year; a day is a year away by its date.
A_YEAR = {
    "year": 1, "iso_year": 1, "retail_year": 1, "quarter": 4, "retail_quarter": 4, "month": 12, "retail_month": 12,
    "week": 52, "retail_week": 52,
}  # fmt: skip
# Levels that a period is a whole part of, so that a table of such periods knows them.
WITHIN: dict[str, set[str] | None] = {
    "day": None,
    "week": {"week", "iso_year"},
    "month": {"month", "quarter", "year"},
    "quarter": {"quarter", "year"},
    "year": {"year"},
    "all": set(),
}


def tells(period: str, levels: Sequence[Level]) -> bool:
    """Whether a table of such periods knows the calendar levels."""
    known = WITHIN[period]
    return known is None or all(level.name.partition(".")[2] in known for level in levels)


def finest(levels: Sequence[Level], dictionary: Dictionary, asked: str) -> Level | None:
    """The finest of the calendar levels asked by; None if there is none.

    Raises:
        CubeError: they belong to no one hierarchy, so that no period comes before another.
    """
    if not levels:
        return None
    for order in dictionary.dimensions["calendar"].hierarchies.values():
        names = [level.name.partition(".")[2] for level in levels]
        if all(name in order for name in names):
            return max(levels, key=lambda level: order.index(level.name.partition(".")[2]))
    listed = ", ".join(level.name for level in levels)
    raise CubeError(
        f"{asked} needs periods that follow each other, and {listed} are none",
        remedy="ask by levels of one calendar: year, quarter, month, day; iso_year, week, day; or the retail ones",
    )


def days_of_calendar(levels: Sequence[Level], dictionary: Dictionary, further: Sequence[str] = ()) -> str:
    """Days with the columns of the levels, as a subquery."""
    calendar = dictionary.dimensions["calendar"]
    columns = [f"{level.expr} as {level.column}" for level in dict.fromkeys(levels)]
    columns += [f"{calendar.levels[name].expr} as of_{name}" for name in further]
    listed = "".join(f", {column}" for column in columns)
    return f"(select calendar_date as day_of_calendar{listed} from {calendar.table} where calendar_date is not null)"


def periods(
    by: Sequence[Level], conditions: Sequence[str], filtered: Sequence[Level], span: tuple[date, date],
    dictionary: Dictionary,
) -> str:  # fmt: skip
    """SQL of the periods to answer for: the levels' columns, first_day, last_day (not after the last known day).

    Args:
        conditions: on the calendar, over columns of `filtered`.
        span: first and last day that data is known of.
    """
    where = " and ".join([f"day_of_calendar between date '{span[0]}' and date '{span[1]}'", *conditions])
    names = [level.column for level in by]
    listed = "".join(f"{name}, " for name in names)
    grouped = f" group by {', '.join(names)}" if names else " having count(*) > 0"
    # a period that a condition cuts is answered for as a whole
    whole = (
        f"select {listed}min(day_of_calendar) as first_day,"
        f" least(max(day_of_calendar), date '{span[1]}') as last_day"
        f" from {days_of_calendar([*by, *filtered], dictionary)}"
    )
    if not names:
        return f"{whole} where {where}{grouped}"
    kept = f"select distinct {', '.join(names)} from {days_of_calendar([*by, *filtered], dictionary)} where {where}"
    joined = " and ".join(f"kept.{name} = whole.{name}" for name in names)
    return (
        f"select whole.* from ({whole}{grouped}) as whole where exists (select 1 from ({kept}) as kept where {joined})"
    )


def windows(
    window: Window, period: Level | None, by: Sequence[Level], periods_sql: str, dictionary: Dictionary, asked: str
) -> str:
    """SQL of from_day and to_day for each of the periods, both included, beside the levels' columns.

    Raises:
        CubeError: the window needs a period, and no calendar level is asked by.
    """
    columns = "".join(f"periods.{level.column}, " for level in by)
    if window.kind in {"days", "months"}:
        length = f"interval {window.length} {'day' if window.kind == 'days' else 'month'}"
        return (
            f"select {columns}cast(periods.last_day - {length} + interval 1 day as date) as from_day,"
            f" periods.last_day as to_day from ({periods_sql}) as periods"
        )
    if window.kind == "to_date":
        days = days_of_calendar([], dictionary, [window.unit])
        return (
            f"select {columns}min(days.day_of_calendar) as from_day, periods.last_day as to_day"
            f" from ({periods_sql}) as periods"
            f" inner join {days} as at_end on at_end.day_of_calendar = periods.last_day"
            f" inner join {days} as days on days.of_{window.unit} = at_end.of_{window.unit}"
            f" group by {columns}periods.last_day"
        )
    if period is None:
        raise CubeError(f"{asked} needs a calendar level", remedy="ask by one, like calendar.month")
    return _shifted(window, period, columns, periods_sql, dictionary)


def _shifted(window: Window, period: Level, columns: str, periods_sql: str, dictionary: Dictionary) -> str:
    """The whole period before, or that a year before."""
    name = period.name.partition(".")[2]
    if name == "day":
        back = "interval 1 day" if window.kind == "previous" else "interval 1 year"
        return (
            f"select {columns}cast(periods.first_day - {back} as date) as from_day,"
            f" cast(periods.first_day - {back} as date) as to_day from ({periods_sql}) as periods"
        )
    steps = 1 if window.kind == "previous" else A_YEAR[name]
    numbered = (
        f"select min(day_of_calendar) as first_day, max(day_of_calendar) as last_day,"
        f" row_number() over (order by min(day_of_calendar)) as nth"
        f" from {days_of_calendar([period], dictionary)} group by {period.column}"
    )
    return (
        f"select {columns}earlier.first_day as from_day, earlier.last_day as to_day"
        f" from ({periods_sql}) as periods"
        f" inner join ({numbered}) as this on this.first_day = periods.first_day"
        f" inner join ({numbered}) as earlier on earlier.nth = this.nth - {steps}"
    )


def last_snapshots(
    source: Source, by: Sequence[Level], conditions: Sequence[str], filtered: Sequence[Level], dictionary: Dictionary
) -> str:
    """SQL of the days whose rows count, of a periodic snapshot: the last one in each period the conditions leave."""
    grouped = f" group by {', '.join(level.column for level in by)}" if by else ""
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return (
        f"select max(snapshots.{source.day}) from {source.snapshots} as snapshots"
        f" inner join {days_of_calendar([*by, *filtered], dictionary)} as days"
        f" on days.day_of_calendar = snapshots.{source.day}{where}{grouped}"
    )


def with_last_snapshot(source: Source, taken: str) -> str:
    """The windows' days, narrowed to the last day in each on which the snapshot was taken."""
    last = (
        f"(select max(snapshots.{source.day}) from {source.snapshots} as snapshots"
        f" where snapshots.{source.day} between whole.from_day and whole.to_day)"
    )
    return f"select whole.* replace ({last} as from_day, {last} as to_day) from ({taken}) as whole"
