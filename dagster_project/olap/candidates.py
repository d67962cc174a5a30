"""Rollups that could be: sets of levels that were asked for together, their unions, and the rows they would have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from dagster_project.olap.calendars import WITHIN, tells
from dagster_project.olap.cube import Cube
from dagster_project.olap.dictionary import Dictionary, Level, Measure, Rollup, Source
from dagster_project.olap.router import Need, members_only, of_calendar, route

PERIODS = ("all", "year", "quarter", "month", "week", "day")
# A scan reads in vectors of so many rows: one of fewer takes as long.
VECTOR = 2048
# Sets of levels looked at, those that cost most first; of the first few each pair is united, too. Sizing one takes a
# pass over the table it would be made from.
MOST_ASKED = 32
MOST_UNITED = 8
# Up to so many rows the cells are counted (0.1 s); beyond, estimated by HyperLogLog within about 6%.
COUNTED_UP_TO = 500_000


@dataclass(frozen=True)
class Candidate:
    """A rollup that could be.

    Attributes:
        period: calendar level of its cells; `all` for none.
        members: measures whose members it would hold, a row each; empty: it is of counts, right for its own cells only.
    """

    source: Source
    period: str
    levels: frozenset[Level]
    members: frozenset[Measure]

    @property
    def level_names(self) -> list[str]:
        calendar = [] if self.period == "all" else [f"calendar.{self.period}"]
        return calendar + sorted(level.name for level in self.levels)

    @property
    def rollup(self) -> Rollup:
        """As the router would know it."""
        measures = self.source.measures.values()
        counts = tuple(measure.name for measure in measures if not measure.is_additive)
        return Rollup(
            name=" x ".join(self.level_names) or "total",
            table="",
            grain=None,
            period=self.period,
            day="",
            levels={level.name: level.column for level in self.levels},
            keys={},
            summed=tuple(measure.name for measure in measures if measure.is_additive),
            counted={measure.name: measure.name for measure in self.members},
            exact=() if self.members else counts,
        )

    def united(self, other: Candidate) -> Candidate:
        """The smallest one that tells what both tell."""
        period = next(p for p in PERIODS if _holds(p, self.period) and _holds(p, other.period))
        return Candidate(self.source, period, self.levels | other.levels, self.members | other.members)


@dataclass(frozen=True)
class Size:
    """Rows a candidate would have. `counted`: exactly, else estimated; `made_from`: the table that was looked at."""

    rows: int
    counted: bool
    made_from: str


def candidates(costs: Mapping[Need, int]) -> list[Candidate]:
    """What the needs ask for, and unions. `costs`: need -> rows all its reads together cost."""
    heaviest = sorted(costs, key=lambda need: -costs[need])
    asked = list(dict.fromkeys(candidate for need in heaviest for candidate in _of_need(need)))[:MOST_ASKED]
    united = (one.united(other) for one, other in combinations(asked[:MOST_UNITED], 2) if one.source is other.source)
    return list(dict.fromkeys([*asked, *united]))


def _of_need(need: Need) -> Iterator[Candidate]:
    """The smallest rollup of counts, and where people or orders are counted, that which holds them.

    None of a periodic snapshot: what may not be summed over time has no rollup over time.
    """
    if need.source.snapshots:
        return
    calendar = of_calendar(need.levels)
    period = "day" if need.daily else next(period for period in PERIODS if tells(period, calendar))
    levels = frozenset(members_only(need.levels))
    if not need.members:
        yield Candidate(need.source, period, levels, frozenset())
    counted = frozenset(measure for measure in need.measures if not measure.is_additive)
    if counted:
        yield Candidate(need.source, period, levels, counted)


def _holds(period: str, other: str) -> bool:
    """Whether cells of one period can be summed to those of the other."""
    known = WITHIN[period]
    return known is None or other == "all" or other in known


def sizes_of(asked: Iterable[Candidate], cube: Cube) -> dict[Candidate, Size]:
    """How many rows they would have, from the smallest table they could be made from."""
    return {candidate: _size(candidate, cube) for candidate in asked}


def _size(candidate: Candidate, cube: Cube) -> Size:
    dictionary = cube.dictionary
    levels = [*_calendar(candidate, dictionary), *sorted(candidate.levels, key=lambda level: level.name)]
    members = sorted(candidate.members, key=lambda measure: measure.name)
    need = Need(candidate.source, tuple(members), tuple(levels), members=bool(members))
    relation = route(need, cube.sizes)
    columns = [relation.level(level) for level in levels] + [relation.member(measure) for measure in members]
    if not columns:
        return Size(1, counted=True, made_from=relation.answered_by)
    counted = relation.rows <= COUNTED_UP_TO
    listed = ", ".join(columns)
    rows = relation.from_sql(dictionary) + (f" where {relation.only}" if relation.only else "")
    asked = (
        f"select count(*) from (select distinct {listed} from {rows})"
        if counted
        else f"select approx_count_distinct(hash({listed})) from {rows}"
    )
    found = cube.connection.execute(asked).fetchall()[0][0]
    return Size(int(found), counted, relation.answered_by)


def _calendar(candidate: Candidate, dictionary: Dictionary) -> list[Level]:
    return [] if candidate.period == "all" else [dictionary.level(f"calendar.{candidate.period}")]
