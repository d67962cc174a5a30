"""From a question to one SQL statement: the parts it is answered from, put side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import sqlglot
from sqlglot import exp

from dagster_project.olap.conditions import read_conditions
from dagster_project.olap.dictionary import CubeError, Dictionary, Level, Measure, Metric
from dagster_project.olap.parts import Context, Part, compile_part, united
from dagster_project.olap.query import Asked, Query, Resolved, Window, check_dimensions, resolve
from dagster_project.olap.router import Relation, members_only, of_calendar


@dataclass(frozen=True)
class Statement:
    """SQL and what it reads.

    Attributes:
        columns: the levels, then the metrics; `levels` is how many are levels.
        guards: further columns of the SQL, which count the people of each cell; the answer is ordered, cut and stripped
            of them after small cells are hidden. None: whoever asks may see small cells.
    """

    sql: str
    columns: tuple[str, ...]
    levels: int
    relations: tuple[Relation, ...]
    resolved: Resolved
    guards: tuple[str, ...] | None

    @property
    def answered_by(self) -> list[str]:
        return list(dict.fromkeys(relation.answered_by for relation in self.relations))


@dataclass
class Inputs:
    """The inputs that metrics of a question need, by part; each gets a column of its own."""

    dictionary: Dictionary
    columns: dict[tuple[Part, str], str] = field(default_factory=dict)

    def column(self, part: Part, name: str) -> str:
        return self.columns.setdefault((part, name), f"input_{len(self.columns)}")


def compile_query(query: Query, context_of: Context) -> Statement:
    """One statement that answers the question.

    Raises:
        CubeError: a name is not known, or the combination makes no sense.
    """
    dictionary = context_of.dictionary
    resolved = resolve(query, dictionary)
    conditions = read_conditions(query.where, dictionary)
    for asked in resolved.asked:
        check_dimensions(asked.metric, [level for item in conditions for level in item.levels], dictionary)
    context = replace(context_of, conditions=conditions)
    inputs = Inputs(dictionary)
    values = [(asked.name, _value(asked, resolved.by, inputs)) for asked in resolved.asked]
    if context.restriction is None or not context.restriction.policy.min_customers:
        return _assembled(resolved, values, None, inputs, context)
    return _assembled(resolved, values, _people(resolved.by, inputs), inputs, context)


def _people(by: tuple[Level, ...], inputs: Inputs) -> list[str]:
    """Inputs that count the people of a cell: over its period, over each window, and those who did something."""
    found = []
    for (part, _), column in list(inputs.columns.items()):
        if part.by != by:
            continue
        if part.kind == "conversion":
            found += [inputs.column(part, name) for name in ("people", "converters")]
            continue
        if part.kind != "plain":
            found.append(column)
        if people := inputs.dictionary.sources[part.source].people:
            windows = dict.fromkeys([None, part.window])
            found += [inputs.column(Part("plain", part.source, window, by, part.asked), people) for window in windows]
    return list(dict.fromkeys(found))


def _value(asked: Asked, by: tuple[Level, ...], inputs: Inputs) -> str:
    """SQL of an asked metric over the inputs."""
    variant, metric = asked.variant, asked.metric
    plain = "" if variant is not None and variant.then == "value" else _metric(metric, None, by, inputs, asked.name)
    if variant is None:
        return plain
    if variant.window is not None:
        moved = _metric(metric, variant.window, by, inputs, asked.name)
        if variant.then == "value":
            return moved
        return f"cast({plain} as double) / nullif({moved}, 0) - 1"
    if variant.then == "rank":
        partition = ", ".join(f"cells.{level.column}" for level in of_calendar(by))
        return f"rank() over ({f'partition by {partition} ' if partition else ''}order by {plain} desc nulls last)"
    if inputs.dictionary.unit(metric) in {"ratio", "number"} or metric.type == "ratio":
        raise CubeError(f"{asked.name}: a ratio is no part of a whole", remedy="ask for the share of what it divides")
    whole = _metric(metric, None, _above(asked, by), inputs, asked.name)
    return f"cast({plain} as double) / nullif({whole}, 0)"


def _above(asked: Asked, by: tuple[Level, ...]) -> tuple[Level, ...]:
    """The levels of the whole that a share is of."""
    members = members_only(by)
    if not members:
        if not by:
            raise CubeError(f"{asked.name} needs a level", remedy="ask by one, like product.department")
        return ()
    kept = members[:-1] if asked.variant is not None and asked.variant.then == "share_of_parent" else ()
    return tuple(level for level in by if level.dimension == "calendar" or level in kept)


def _metric(metric: Metric, window: Window | None, by: tuple[Level, ...], inputs: Inputs, asked: str) -> str:
    given, dictionary = metric.definition, inputs.dictionary
    if metric.type in {"simple", "cumulative"}:
        if metric.type == "cumulative":
            window = cumulative_window(metric)
        measure = dictionary.measure(given["measure"])
        return inputs.column(Part("plain", measure.source, window, by, asked), measure.name)
    if metric.type in {"movement", "repeat", "conversion"}:
        return _of_customers(metric, by, inputs, asked)
    return formula(metric, dictionary, lambda part: _metric(part, window, by, inputs, asked))


def formula(metric: Metric, dictionary: Dictionary, value_of: Callable[[Metric], str]) -> str:
    """SQL of a ratio, or of a derived metric, over the values of those it is made of."""
    given = metric.definition
    is_money = dictionary.unit(metric) == "currency"
    if metric.type == "ratio":
        over, under = (value_of(dictionary.metric(given[side])) for side in ("numerator", "denominator"))
        if is_money:
            return f"cast({over} / nullif({under}, 0) as decimal(19, 4))"
        return f"cast({over} as double) / nullif({under}, 0)"
    parsed = sqlglot.parse_one(given["expr"], dialect="duckdb")
    for column in list(parsed.find_all(exp.Column)):
        value = value_of(dictionary.metric(column.name))
        column.replace(exp.Paren(this=sqlglot.parse_one(value, dialect="duckdb")))
    return f"cast({parsed.sql(dialect='duckdb')} as {'decimal(19, 4)' if is_money else 'double'})"


def _of_customers(metric: Metric, by: tuple[Level, ...], inputs: Inputs, asked: str) -> str:
    """What people did: from period to period, more than once, or after another event."""
    given = metric.definition
    if metric.type == "movement":
        return inputs.column(Part("movement", given["of"], None, by, asked), given["movement"])
    if metric.type == "repeat":
        return inputs.column(Part("repeat", given["of"], None, by, asked), "repeating")
    base = inputs.dictionary.measure(given["base"])
    about = (given["base"], given["conversion"], given["entity"], int(given["window"]["count"]))
    part = Part("conversion", base.source, None, by, asked, about)
    return f"cast({inputs.column(part, 'converted')} as double) / nullif({inputs.column(part, 'base')}, 0)"


def cumulative_window(metric: Metric) -> Window:
    """MetricFlow's window or grain_to_date as ours."""
    given = metric.definition
    if given.get("grain_to_date"):
        return Window("to_date", given["grain_to_date"])
    window = given["window"]
    if window["granularity"] == "month":
        return Window("months", length=int(window["count"]))
    days = {"day": 1, "week": 7}[window["granularity"]]
    return Window("days", length=days * int(window["count"]))


def _assembled(
    resolved: Resolved,
    values: Sequence[tuple[str, str]],
    people: Sequence[str] | None,
    inputs: Inputs,
    context: Context,
) -> Statement:
    by = resolved.by
    ctes: list[str] = []
    relations: list[Relation] = []
    sides: list[tuple[list[str], str]] = []
    wholes: list[tuple[Part, str]] = []
    for nth, part in enumerate(dict.fromkeys(part for part, _ in inputs.columns)):
        named = {name: column for (owner, name), column in inputs.columns.items() if owner == part}
        compiled = compile_part(part, _measures(part, named, context.dictionary), context)
        relations.extend(compiled.relations)
        listed = "".join(f"{level.column}, " for level in part.by)
        renamed = ", ".join(f"{name} as {column}" for name, column in named.items())
        ctes.append(f"part_{nth} as (select {listed}{renamed} from ({compiled.sql}))")
        if part.by == by:
            sides.append((list(named.values()), f"select * from part_{nth}"))
        else:
            wholes.append((part, f"part_{nth}"))
    ctes.append(f"cells as ({united(sides, [level.column for level in by])})")
    joined = "".join(f" {_join_whole(part, name)}" for part, name in wholes)
    columns = [f'cells.{level.column} as "{level.name}"' for level in by]
    columns += [f'{value} as "{name}"' for name, value in values]
    columns += [f"cells.{name} as people_of_{name}" for name in people or ()]
    sql = "with " + ",\n".join(ctes) + f"\nselect {', '.join(columns)}\nfrom cells{joined}"
    # order and limit would tell of what is hidden, so where cells may be hidden they come after that; until then cells
    # stand as their levels do, so that the same ones are hidden each time
    ordered, limit = (resolved.order, resolved.limit) if people is None else ((), 0)
    order = [f'"{name.removeprefix("-")}"{" desc" if name.startswith("-") else ""} nulls last' for name in ordered]
    order += [f'"{level.name}" nulls last' for level in by if level.name not in {o.removeprefix("-") for o in ordered}]
    sql += f"\norder by {', '.join(order)}" if order else ""
    sql += f"\nlimit {limit}" if limit else ""
    names = (*(level.name for level in by), *(name for name, _ in values))
    guards = tuple(f"people_of_{name}" for name in people) if people is not None else None
    return Statement(sql, names, len(by), tuple(relations), resolved, guards)


def _measures(part: Part, named: dict[str, str], dictionary: Dictionary) -> dict[str, Measure]:
    if part.kind == "plain":
        return {name: dictionary.measure(name) for name in named}
    if part.kind == "conversion" and part.conversion is not None:
        return {"base": dictionary.measure(part.conversion[0]), "converted": dictionary.measure(part.conversion[1])}
    return {}


def _join_whole(part: Part, name: str) -> str:
    if not part.by:
        return f"cross join {name}"
    same = " and ".join(f"cells.{level.column} is not distinct from {name}.{level.column}" for level in part.by)
    return f"left join {name} on {same}"
