"""Conditions over levels, as users write them: `store.store_id = '367' and calendar.year in (2016, 2017)`.

Parsed, checked and written anew: nothing of the text itself reaches the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from dagster_project.olap.dictionary import CubeError, Dictionary, Level

ALLOWED = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between,
    exp.Like, exp.ILike, exp.Is, exp.Null, exp.Literal, exp.Boolean, exp.Column, exp.Identifier, exp.Neg, exp.Tuple,
    exp.Escape,
)  # fmt: skip
EXAMPLE = "write it like: store.store_id = '367' and calendar.quarter in ('2017-Q1', '2017-Q2')"


@dataclass(frozen=True)
class Condition:
    """One condition: `sql` over the levels' columns.

    Attributes:
        levels: those it speaks of.
        pins: the level it holds to one member, if it is nothing but that.
    """

    sql: str
    levels: tuple[Level, ...]
    pins: str | None

    @property
    def is_of_calendar(self) -> bool:
        return all(level.dimension == "calendar" for level in self.levels)


def read_conditions(texts: tuple[str, ...], dictionary: Dictionary) -> tuple[Condition, ...]:
    """The conditions that must all hold; `and` at the top parts them.

    Raises:
        CubeError: the text is no condition, or speaks of a level that is not known.
    """
    return tuple(_condition(part, text, dictionary) for text in texts for part in _parts(_parsed(text)))


def _parsed(text: str) -> exp.Expr:
    try:
        parsed = sqlglot.parse_one(text, dialect="duckdb", into=exp.Condition)
    except (ParseError, TokenError):
        raise CubeError(f"this is no condition: {text}", remedy=EXAMPLE) from None
    for node in parsed.walk():
        if not isinstance(node, ALLOWED):
            raise CubeError(f"a condition can't hold {node.sql(dialect='duckdb')!r}: {text}", remedy=EXAMPLE)
    return parsed


def _parts(parsed: exp.Expr) -> list[exp.Expr]:
    if isinstance(parsed, exp.Paren):
        return _parts(parsed.this)
    if isinstance(parsed, exp.And):
        return _parts(parsed.left) + _parts(parsed.right)
    return [parsed]


def _condition(parsed: exp.Expr, text: str, dictionary: Dictionary) -> Condition:
    columns = list(parsed.find_all(exp.Column))
    if not columns or isinstance(parsed, exp.Column | exp.Literal):
        raise CubeError(f"this is no condition over a level: {text}", remedy=EXAMPLE)
    levels: list[Level] = []
    for column in columns:
        level = _level(column, text, dictionary)
        levels.append(level)
        _quote_numbers(column, level)
        column.replace(exp.column(level.column))
    pinned = isinstance(parsed, exp.EQ) and isinstance(parsed.right, exp.Literal | exp.Boolean | exp.Neg)
    return Condition(
        sql=f"({parsed.sql(dialect='duckdb')})",
        levels=tuple(dict.fromkeys(levels)),
        pins=levels[0].name if pinned and len(levels) == 1 else None,
    )


def _level(column: exp.Column, text: str, dictionary: Dictionary) -> Level:
    name = ".".join(part.name for part in column.parts)
    if len(column.parts) == 1 and column.args["this"].args.get("quoted"):
        raise CubeError(
            f'"{name}" in double quotes is a name: {text}', remedy=f"a member stands in single quotes: '{name}'"
        )
    return dictionary.level(name)


def _quote_numbers(column: exp.Column, level: Level) -> None:
    """`store.store_id = 367`: a member that is text is compared as text."""
    parent = column.parent
    if not level.is_text or parent is None:
        return
    for literal in parent.find_all(exp.Literal):
        if not literal.is_string:
            literal.replace(exp.Literal.string(literal.this))
