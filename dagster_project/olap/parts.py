"""The parts a question is answered from: each one aggregate of one table, told by its levels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlglot
from sqlglot import exp

from dagster_project.olap.calendars import finest, last_snapshots, periods, windows, with_last_snapshot
from dagster_project.olap.conditions import Condition
from dagster_project.olap.dictionary import CubeError, Dictionary, Level, Measure, Source
from dagster_project.olap.policies import Restriction
from dagster_project.olap.query import Window
from dagster_project.olap.router import Need, Relation, Sizes, members_only, of_calendar, route

MOVEMENTS = ("new", "retained", "reactivated", "lost")


@dataclass(frozen=True)
class Part:
    """Inputs of one source over the same days, told by the same levels.

    kind: `plain`; `movement`, `repeat`: what customers did; `conversion`: of base rows into others.
    """

    kind: str
    source: str
    window: Window | None
    by: tuple[Level, ...]
    asked: str = field(compare=False)
    conversion: tuple[str, str, str, int] | None = None


@dataclass(frozen=True)
class Context:
    """What all parts of a question share.

    Attributes:
        span: first and last day a source is known of.
        restriction: what the role that asks is held to.
    """

    dictionary: Dictionary
    sizes: Sizes
    conditions: tuple[Condition, ...]
    span: Callable[[Source], tuple[date, date]]
    restriction: Restriction | None = None

    def source(self, part: Part) -> Source:
        return self.dictionary.sources[part.source]

    def held(self, source: Source) -> tuple[Condition, ...]:
        """What the role is held to in every row it reads of a source."""
        return self.restriction.over(source) if self.restriction is not None else ()


@dataclass(frozen=True)
class Compiled:
    """SQL of a part: the columns of its levels, then its inputs by name. `relations`: one for each need."""

    sql: str
    relations: tuple[Relation, ...]


def compile_part(part: Part, measures: dict[str, Measure], context: Context) -> Compiled:
    """`measures`: name of an input -> what it is; for movements only the names count."""
    if part.kind == "movement":
        return _movement(part, context)
    if part.kind == "repeat":
        return _repeat(part, context)
    if part.kind == "conversion":
        return _conversion(part, measures, context)
    if part.window is not None:
        return _windowed(part, measures, context)
    return _plain(part, measures, context)


def _plain(part: Part, measures: dict[str, Measure], context: Context) -> Compiled:
    """Each measure from the smallest table that knows it; those of one table together."""
    by_table: dict[str, tuple[Relation, dict[str, Measure]]] = {}
    routed = []
    for name, measure in measures.items():
        need = _need(context.source(part), (measure,), part.by, context.conditions, context)
        relation = route(need, context.sizes)
        if context.source(part).snapshots:
            relation.only = f"{relation.day} in ({_last_snapshots(part, context)})"
        routed.append(relation)
        by_table.setdefault(relation.answered_by, (relation, {}))[1][name] = measure
    sides = []
    for relation, chosen in by_table.values():
        columns = [f"{relation.level(level)} as {level.column}" for level in part.by]
        columns += [f"{relation.aggregate(measure)} as {name}" for name, measure in chosen.items()]
        sides.append((list(chosen), _select(columns, relation, context.conditions, context, grouped=len(part.by))))
    sql = united(sides, [level.column for level in part.by])
    return Compiled(sql, tuple(routed))


def _last_snapshots(part: Part, context: Context) -> str:
    calendar, _ = _apart(part, context)
    filtered = [level for condition in calendar for level in condition.levels]
    tests = [condition.sql for condition in calendar]
    return last_snapshots(context.source(part), of_calendar(part.by), tests, filtered, context.dictionary)


def _need(
    source: Source, measures: tuple[Measure, ...], by: Sequence[Level], conditions: Sequence[Condition],
    context: Context, *, daily: bool = False, members: bool = False,
) -> Need:  # fmt: skip
    conditions = (*conditions, *context.held(source))
    return Need(
        source=source,
        measures=measures,
        grouped=tuple(by),
        filtered=tuple(level for condition in conditions for level in condition.levels),
        pinned=frozenset(condition.pins for condition in conditions if condition.pins),
        daily=daily,
        members=members,
    )


def _select(
    columns: Sequence[str], relation: Relation, conditions: Sequence[Condition], context: Context,
    *, grouped: int = 0, distinct: bool = False,
) -> str:  # fmt: skip
    """Rows of a relation, filtered; grouped by the first so many columns, or distinct.

    All that is read is read by this, so what a role is held to is added here, whatever the part looks at.
    """
    conditions = (*conditions, *context.held(relation.need.source))
    filtered = {level.column: relation.level(level) for condition in conditions for level in condition.levels}
    tests = [_over(condition.sql, filtered) for condition in conditions]
    where = " and ".join(([relation.only] if relation.only else []) + tests)
    places = ", ".join(str(place + 1) for place in range(grouped))
    return (
        f"select {'distinct ' if distinct else ''}{', '.join(columns)} from {relation.from_sql(context.dictionary)}"
        + (f" where {where}" if where else "")
        + (f" group by {places}" if grouped else "")
    )


def _over(condition: str, columns: dict[str, str]) -> str:
    """A condition over a relation's own SQL of the levels."""
    parsed = sqlglot.parse_one(condition, dialect="duckdb")
    for column in [column for column in parsed.find_all(exp.Column) if column.name in columns]:
        column.replace(exp.Paren(this=sqlglot.parse_one(columns[column.name], dialect="duckdb")))
    return parsed.sql(dialect="duckdb")


def _apart(part: Part, context: Context) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    """Conditions on the calendar say which periods are answered for; the others, which rows count.

    Raises:
        CubeError: one speaks of both at once.
    """
    for condition in context.conditions:
        dimensions = {level.dimension for level in condition.levels}
        if "calendar" in dimensions and len(dimensions) > 1:
            raise CubeError(
                f"{part.asked} looks at days outside its period, so a condition can't mix the calendar with others:"
                f" {condition.sql.replace('__', '.')}",
                remedy="part it into conditions of its own, or ask twice",
            )
    calendar = tuple(condition for condition in context.conditions if condition.is_of_calendar)
    return calendar, tuple(condition for condition in context.conditions if not condition.is_of_calendar)


def _periods(part: Part, calendar: Sequence[Condition], context: Context) -> str:
    source = context.source(part)
    filtered = [level for condition in calendar for level in condition.levels]
    tests = [condition.sql for condition in calendar]
    return periods(of_calendar(part.by), tests, filtered, context.span(source), context.dictionary)


def _windowed(part: Part, measures: dict[str, Measure], context: Context) -> Compiled:
    """Days of the source, joined with the days each period's window takes."""
    if part.window is None:
        raise AssertionError(part)
    calendar, conditions = _apart(part, context)
    by, others = of_calendar(part.by), members_only(part.by)
    period = finest(by, context.dictionary, part.asked)
    taken = windows(part.window, period, by, _periods(part, calendar, context), context.dictionary, part.asked)
    if context.source(part).snapshots:
        taken = with_last_snapshot(context.source(part), taken)
    joins, relations = [], []
    for additive in (True, False):
        chosen = {name: measure for name, measure in measures.items() if measure.is_additive is additive}
        if not chosen:
            continue
        for names in [list(chosen)] if additive else [[name] for name in chosen]:
            cells, relation = _day_cells(part, {name: chosen[name] for name in names}, others, conditions, context)
            values = [
                f"cast(sum(days.{name}) as {chosen[name].data_type}) as {name}"
                if additive
                else f"count(distinct days.{name}) as {name}"
                for name in names
            ]
            columns = [f"taken.{level.column}" for level in by] + [f"days.{level.column}" for level in others]
            grouped = f" group by {', '.join(columns)}" if columns else ""
            joins.append(
                (
                    names,
                    f"select {', '.join([*columns, *values])} from ({taken}) as taken inner join ({cells}) as days"
                    f" on days.day_of_fact between taken.from_day and taken.to_day{grouped}",
                )
            )
            relations.append(relation)
    return Compiled(united(joins, [level.column for level in part.by]), tuple(relations))


def _day_cells(
    part: Part, measures: dict[str, Measure], others: Sequence[Level], conditions: Sequence[Condition], context: Context
) -> tuple[str, Relation]:
    """Sums by day, or the distinct members of each day."""
    counting = not next(iter(measures.values())).is_additive
    chosen = tuple(measures.values())
    need = _need(context.source(part), chosen, others, conditions, context, daily=True, members=counting)
    relation = route(need, context.sizes)
    columns = [f"{relation.day} as day_of_fact"]
    columns += [f"{relation.level(level)} as {level.column}" for level in others]
    if counting:
        columns += [f"{relation.member(measure)} as {name}" for name, measure in measures.items()]
        return _select(columns, relation, conditions, context, distinct=True), relation
    columns += [f"{relation.aggregate(measure)} as {name}" for name, measure in measures.items()]
    return _select(columns, relation, conditions, context, grouped=1 + len(others)), relation


def united(parts: Sequence[tuple[Sequence[str], str]], keys: Sequence[str]) -> str:
    """Selects with the same keys and other values, side by side: a full join that NULL keys pass, too."""
    if len(parts) == 1:
        return parts[0][1]
    names = [name for values, _ in parts for name in values]
    listed = "".join(f"{key}, " for key in keys)
    rows = " union all by name ".join(f"select {listed}{', '.join(values)} from ({sql})" for values, sql in parts)
    grouped = f" group by {', '.join(keys)}" if keys else ""
    return f"select {listed}{', '.join(f'max({name}) as {name}' for name in names)} from ({rows}){grouped}"


def _movement(part: Part, context: Context) -> Compiled:
    """Who is new, stayed, came back or was lost, from one period to the next, within each cell."""
    calendar, conditions = _apart(part, context)
    by, others = of_calendar(part.by), members_only(part.by)
    period = finest(by, context.dictionary, part.asked)
    if period is None:
        raise CubeError(f"{part.asked} needs a calendar level", remedy="ask by one, like calendar.month")
    person = _people(part, context)
    need = _need(context.source(part), (person,), others, conditions, context, daily=True, members=True)
    relation = route(need, context.sizes)
    columns = [f"{relation.day} as day_of_fact", f"{relation.member(person)} as person"]
    columns += [f"{relation.level(level)} as {level.column}" for level in others]
    days = _select(columns, relation, conditions, context, distinct=True)
    cell = "".join(f"{level.column}, " for level in others)
    labels = "".join(f"{level.column}, " for level in by)
    every = _periods(part, (), context)
    answered = _periods(part, calendar, context)
    same = " and ".join(f"answered.{level.column} = numbered.{level.column}" for level in by)
    chosen = "".join(f"numbered.{level.column}, " for level in by) + "".join(
        f"counted.{level.column}, " for level in others
    )
    names = ", ".join(MOVEMENTS)
    sums = ", ".join(f"cast(sum({name}) as bigint) as {name}" for name in MOVEMENTS)
    sql = f"""
with numbered as (select {labels}first_day, last_day, row_number() over (order by first_day) as nth from ({every})),
seen as (
    select distinct numbered.nth, {cell}days.person from ({days}) as days
    inner join numbered on days.day_of_fact between numbered.first_day and numbered.last_day
    where days.person is not null
),
steps as (
    select nth, {cell}lag(nth) over (partition by {cell}person order by nth) as before,
        lead(nth) over (partition by {cell}person order by nth) as after
    from seen
),
counted as (
    select nth, {cell}count(*) filter (where before is null) as new,
        count(*) filter (where before = nth - 1) as retained,
        count(*) filter (where before < nth - 1) as reactivated, 0 as lost
    from steps group by all
    union all
    select nth + 1 as nth, {cell}0 as new, 0 as retained, 0 as reactivated, count(*) as lost
    from steps where after is null or after > nth + 1 group by all
)
select {chosen}{sums}
from (select nth, {cell}{names} from counted) as counted
inner join numbered on counted.nth = numbered.nth
inner join ({answered}) as answered on {same}
group by all"""
    return Compiled(sql, (relation,))


def _people(part: Part, context: Context) -> Measure:
    return context.source(part).measures["buyers"]


def _repeat(part: Part, context: Context) -> Compiled:
    """People with two orders or more in the cell."""
    measures = context.source(part).measures
    person, orders = measures["buyers"], measures["orders"]
    need = _need(context.source(part), (person, orders), part.by, context.conditions, context, members=True)
    relation = route(need, context.sizes)
    columns = [f"{relation.level(level)} as {level.column}" for level in part.by]
    columns += [f"{relation.member(person)} as person", f"{relation.aggregate(orders)} as orders"]
    people = _select(columns, relation, context.conditions, context, grouped=len(part.by) + 1)
    keys = "".join(f"{level.column}, " for level in part.by)
    grouped = f" group by {keys.rstrip(', ')}" if keys else ""
    sql = (
        f"select {keys}count(*) filter (where orders > 1 and person is not null) as repeating from ({people}){grouped}"
    )
    return Compiled(sql, (relation,))


def _conversion(part: Part, measures: dict[str, Measure], context: Context) -> Compiled:
    """Rows of another source within days after a base row of the same person, each for the last base row before it."""
    if part.conversion is None:
        raise AssertionError(part)
    _, _, entity, length = part.conversion
    sides = []
    for measure, by, conditions in (
        (measures["base"], part.by, context.conditions), (measures["converted"], (), ()),
    ):  # fmt: skip
        source = context.dictionary.sources[measure.source]
        person = Measure("person", source.name, "count_distinct", source.entities[entity], "bigint", "count")
        need = _need(source, (measure, person), by, conditions, context, daily=True, members=True)
        relation = route(need, context.sizes)
        columns = [f"{relation.level(level)} as {level.column}" for level in by]
        columns += [f"{person.expr} as person", f"{relation.day} as day_of_fact"]
        counted = Condition(f"({measure.expr}) is not null", (), None)
        sides.append((_select(columns, relation, [*conditions, counted], context), relation))
    listed = "".join(f"bases.{level.column}, " for level in part.by)
    sql = f"""
with bases as (select row_number() over () as nth, * from ({sides[0][0]})),
conversions as (select row_number() over () as nth, * from ({sides[1][0]})),
matched as (
    select conversions.nth, max_by(bases.nth, bases.day_of_fact) as base_nth
    from conversions inner join bases on conversions.person = bases.person
        and bases.day_of_fact <= conversions.day_of_fact
        and bases.day_of_fact > conversions.day_of_fact - {length}
    group by conversions.nth
),
counted as (select base_nth, count(*) as conversions from matched group by base_nth)
select {listed}count(*) as base, cast(coalesce(sum(counted.conversions), 0) as bigint) as converted,
    count(distinct bases.person) as people,
    count(distinct case when counted.conversions > 0 then bases.person end) as converters
from bases left join counted on bases.nth = counted.base_nth
group by all"""
    return Compiled(sql, (sides[0][1], sides[1][1]))
