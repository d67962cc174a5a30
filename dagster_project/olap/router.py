"""Which table answers: the smallest rollup that knows the levels and measures asked for, else the fact."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from dagster_project.olap.calendars import tells
from dagster_project.olap.dictionary import Dictionary, Level, Measure, Rollup, Source


@dataclass(frozen=True)
class Sizes:
    """What is known of the release's tables.

    Attributes:
        rows: of each relation. columns: of each table.
        unique: levels whose members have one key each, so that counts by key are counts by member.
        apart: (rollup, measure) where each row is one member of what the measure counts: no order is in two rows.
    """

    rows: Mapping[str, int]
    columns: Mapping[str, Collection[str]]
    unique: frozenset[str] = frozenset()
    apart: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Need:
    """What a part of a question needs of a table.

    Attributes:
        grouped: levels it is told by. filtered: further levels that conditions speak of.
        pinned: names of levels that a condition holds to one member.
        daily: days are needed, not only the calendar levels.
        members: measures whose counted members are needed themselves.
    """

    source: Source
    measures: tuple[Measure, ...]
    grouped: tuple[Level, ...]
    filtered: tuple[Level, ...] = ()
    pinned: frozenset[str] = frozenset()
    daily: bool = False
    members: bool = False

    @property
    def levels(self) -> tuple[Level, ...]:
        return tuple(dict.fromkeys([*self.grouped, *self.filtered]))


@dataclass
class Relation:
    """A table to read, and how levels, days and measures are found in it.

    Attributes:
        need: what it was chosen for. rows: how many it has. is_measured: the fact below it has any.
    """

    need: Need
    answered_by: str
    table: str
    day: str
    only: str
    level_columns: dict[str, str]
    keys: dict[str, str]
    rollup: Rollup | None
    rows: int
    is_measured: bool
    apart: frozenset[str] = frozenset()
    joins: dict[str, list[Level]] = field(default_factory=dict)

    def level(self, level: Level) -> str:
        """SQL of a level's member; remembers the join it needs."""
        if level.name in self.level_columns:
            return self.level_columns[level.name]
        joined = self.joins.setdefault(level.dimension, [])
        if level not in joined:
            joined.append(level)
        return f"coalesce({level.column}, '(unknown)')" if level.is_text else level.column

    def aggregate(self, measure: Measure) -> str:
        """SQL of a measure over any of its rows."""
        return f"cast({self._aggregate(measure)} as {measure.data_type})"

    def _aggregate(self, measure: Measure) -> str:
        # nobody fills the fact: not measured, which is not 0
        if not self.is_measured:
            return "null"
        if self.rollup is None:
            if measure.agg == "count_distinct":
                return f"count(distinct {measure.expr})"
            return f"{measure.agg}({measure.expr})"
        if measure.name in self.rollup.counted:
            return f"count({'' if measure.name in self.apart else 'distinct '}{self.member(measure)})"
        # of cells counted already the question takes one each, or none
        return f"coalesce(sum({measure.name}), 0)" if measure.name in self.rollup.exact else f"sum({measure.name})"

    def member(self, measure: Measure) -> str:
        """SQL of what a measure counts distinct."""
        return measure.expr if self.rollup is None else self.rollup.member(measure.name)

    def from_sql(self, dictionary: Dictionary) -> str:
        """The table with the joins its levels need; ask for the levels first."""
        parts = [f"{self.table} as facts"]
        for name, levels in self.joins.items():
            dimension = dictionary.dimensions[name]
            by_day = name == "calendar" and name not in self.keys
            key = dimension.levels["day"].expr if by_day else dimension.key
            columns = ", ".join(f"{level.expr} as {level.column}" for level in levels)
            parts.append(
                f"left join (select {key} as {name}__key, {columns} from {dimension.table}) as of_{name}"
                f" on {self.day if by_day else self.keys[name]} = of_{name}.{name}__key"
            )
        return " ".join(parts)


def route(need: Need, sizes: Sizes) -> Relation:
    """The relation with the fewest rows that gives the right answer."""
    able = [rollup for rollup in need.source.rollups if answers(rollup, need, sizes)]
    known = [rollup for rollup in able if rollup.name in sizes.rows]
    if not known:
        return _of_source(need, sizes)
    return _of_rollup(min(known, key=lambda rollup: sizes.rows[rollup.name]), need, sizes)


def answers(rollup: Rollup, need: Need, sizes: Sizes) -> bool:
    """Whether a rollup gives the right answer.

    Sums may be summed on. What counts members may not, unless the rollup holds the members; or no member is in two of
    its cells; or each cell of the answer is one of its cells: each level it is parted by is asked for, or held to one
    member.
    """
    calendar = [level for level in need.levels if level.dimension == "calendar"]
    others = [level for level in need.levels if level.dimension != "calendar"]
    if need.daily and rollup.period != "day":
        return False
    if not tells(rollup.period, calendar):
        return False
    if any(level.name not in rollup.levels and level.dimension not in rollup.keys for level in others):
        return False
    return all(_gives(rollup, measure, need, sizes) for measure in need.measures)


def _gives(rollup: Rollup, measure: Measure, need: Need, sizes: Sizes) -> bool:
    if measure.name in rollup.counted:
        return True
    if need.members and not measure.is_additive:
        return False
    if measure.name in rollup.summed:
        return True
    if measure.name not in rollup.exact or need.daily:
        return False
    return _is_exact(rollup, need, sizes) or _is_apart(rollup, measure, need.source, sizes)


def _is_apart(rollup: Rollup, measure: Measure, source: Source, sizes: Sizes) -> bool:
    """Whether cells have no counted member in common, so that their counts may be summed.

    So it is if every cell is made of whole rows of a table that holds each member in one row only.
    """
    return any(
        (other.name, measure.name) in sizes.apart
        and set(rollup.keys) <= set(other.keys)
        and all(level in other.levels or level.partition(".")[0] in other.keys for level in rollup.levels)
        for other in source.rollups
    )


def _is_exact(rollup: Rollup, need: Need, sizes: Sizes) -> bool:
    held = {level.name for level in need.grouped} | need.pinned
    parted = set(rollup.levels)
    for dimension in rollup.keys:
        if not any(level.startswith(f"{dimension}.") and level in sizes.unique for level in parted):
            return False
    if rollup.period != "all":
        parted.add(f"calendar.{rollup.period}")
    return parted <= held


def _of_rollup(rollup: Rollup, need: Need, sizes: Sizes) -> Relation:
    columns = dict(rollup.levels)
    if rollup.grain:
        named = {"day": "period_start_date", "year": "cast(period as integer)"}.get(rollup.period, "period")
        columns[f"calendar.{rollup.period}"] = named
    elif rollup.period == "day":
        columns["calendar.day"] = rollup.day
    return Relation(
        need=need,
        answered_by=f"cube.{rollup.name}",
        table=rollup.table,
        day=rollup.day,
        only=f"facts.grain = '{rollup.grain}'" if rollup.grain else "",
        level_columns=columns,
        keys=rollup.keys,
        rollup=rollup,
        rows=sizes.rows[rollup.name],
        is_measured=_is_measured(need.source, sizes),
        apart=frozenset(name for name in rollup.counted if (rollup.name, name) in sizes.apart),
    )


def _of_source(need: Need, sizes: Sizes) -> Relation:
    """The fact where it has all the columns, else the view over it that has more."""
    source = need.source
    used = [measure.expr for measure in need.measures]
    used += [source.entities[level.dimension] for level in need.levels]
    table = source.fact if all(_columns(expr) <= set(sizes.columns[source.fact]) for expr in used) else source.table
    return Relation(
        need=need,
        answered_by=table,
        table=table,
        day=source.day,
        only="",
        level_columns={"calendar.day": source.day},
        keys=source.entities,
        rollup=None,
        rows=sizes.rows.get(source.fact, 0),
        is_measured=_is_measured(source, sizes),
    )


def _is_measured(source: Source, sizes: Sizes) -> bool:
    return sizes.rows.get(source.fact, 0) > 0


def _columns(expr: str) -> set[str]:
    return {column.name for column in sqlglot.parse_one(expr, dialect="duckdb").find_all(exp.Column)}


def members_only(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Those that are not of the calendar."""
    return tuple(level for level in levels if level.dimension != "calendar")


def of_calendar(levels: Sequence[Level]) -> tuple[Level, ...]:
    return tuple(level for level in levels if level.dimension == "calendar")
