"""Drill down and roll up: from a question to the next one along a hierarchy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dagster_project.olap.conditions import read_conditions
from dagster_project.olap.dictionary import CubeError, Dictionary, Level
from dagster_project.olap.query import Query


def drilled(query: Query, member: Any, level: str, dictionary: Dictionary) -> Query:
    """The same metrics one level down, for one member of the last level asked by (or of `level`).

    Raises:
        CubeError: nothing is asked by, or the level is the finest of its hierarchies.
    """
    at = _at(query, level, dictionary)
    below = _neighbour(at, dictionary, 1)
    if below is None:
        raise CubeError(f"{at.name} has no level below it", remedy=_hierarchies(at, dictionary))
    held = condition(at.name, [member])
    by = tuple(below.name if dictionary.level(name) == at else name for name in query.by)
    return Query(query.metrics, by, (*query.where, held), query.order, query.limit)


def rolled_up(query: Query, level: str, dictionary: Dictionary) -> Query:
    """The same metrics one level up from the last level asked by (or from `level`); the topmost is left out.

    A condition that holds the level above to one member, as drilling adds it, is taken back.
    """
    at = _at(query, level, dictionary)
    above = _neighbour(at, dictionary, -1)
    if above is None:
        by = tuple(name for name in query.by if dictionary.level(name) != at)
        return Query(query.metrics, by, query.where, query.order, query.limit)
    by = tuple(above.name if dictionary.level(name) == at else name for name in query.by)
    kept = tuple(text for text in query.where if not _pins(text, above, dictionary))
    return Query(query.metrics, tuple(dict.fromkeys(by)), kept, query.order, query.limit)


def _at(query: Query, level: str, dictionary: Dictionary) -> Level:
    by = [dictionary.level(name) for name in query.by]
    if not by:
        raise CubeError("nothing is asked by", remedy="name a level: --by product.department")
    if not level:
        return by[-1]
    at = dictionary.level(level)
    if at not in by:
        raise CubeError(f"the question is not told by {at.name}", remedy=f"it is told by {', '.join(query.by)}")
    return at


def _neighbour(level: Level, dictionary: Dictionary, step: int) -> Level | None:
    dimension = dictionary.dimensions[level.dimension]
    name = level.name.partition(".")[2]
    for order in dimension.hierarchies.values():
        if name in order:
            place = order.index(name) + step
            if 0 <= place < len(order):
                return dimension.levels[order[place]]
    return None


def _hierarchies(level: Level, dictionary: Dictionary) -> str:
    orders = dictionary.dimensions[level.dimension].hierarchies
    return "hierarchies: " + "; ".join(" > ".join(order) for order in orders.values())


def _pins(text: str, level: Level, dictionary: Dictionary) -> bool:
    conditions = read_conditions((text,), dictionary)
    return len(conditions) == 1 and conditions[0].pins == level.name


def condition(level: str, members: Sequence[Any]) -> str:
    """The condition that keeps some members of a level."""
    listed = [_literal(member) for member in members]
    return f"{level} = {listed[0]}" if len(listed) == 1 else f"{level} in ({', '.join(listed)})"


def _literal(member: Any) -> str:
    if isinstance(member, bool):
        return str(member).lower()
    if isinstance(member, int | float):
        return str(member)
    return "'" + str(member).replace("'", "''") + "'"
