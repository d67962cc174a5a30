"""Which rollups to add or drop, judged by the questions that were asked; nothing is changed.

Costs are rows read, the model of Harinarayan, Rajaraman and Ullman (see `lattice`); whether a rollup answers a question
is decided by the router itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dagster_project.olap.candidates import VECTOR, Candidate, Size, candidates, sizes_of
from dagster_project.olap.compiler import compile_query
from dagster_project.olap.cube import Cube
from dagster_project.olap.dictionary import CubeError, Rollup
from dagster_project.olap.lattice import Demand, greedy
from dagster_project.olap.policies import restriction
from dagster_project.olap.query import Query
from dagster_project.olap.router import Need, Relation, Sizes, answers, route

# What saves less than this share of all rows read is not worth a table that each night has to grow.
LEAST_SHARE = 0.01
# Another rollup does nearly as well if no question reads more than this share more; or it is one vector more.
NEARLY = 0.1


@dataclass(frozen=True)
class Addition:
    """A rollup worth having.

    Attributes:
        holds: measures whose members it holds; counts of its own cells if empty.
        rows: what it costs to keep and to build; `rows_are`: counted or estimated, over `made_from`.
        reads: how many it would answer better than the additions before it. gain: rows these read less.
        share: gain in all rows read now.
    """

    source: str
    levels: tuple[str, ...]
    holds: tuple[str, ...]
    rows: int
    rows_are: str
    made_from: str
    reads: int
    gain: int
    share: float


@dataclass(frozen=True)
class Removal:
    """A rollup that can be missed, beside the removals before it.

    Attributes:
        rows: what is saved. reads: how many it answered.
        cost: rows that all questions together would read more. instead: tables that would answer.
    """

    rollup: str
    table: str
    rows: int
    reads: int
    cost: int
    instead: tuple[str, ...]


@dataclass(frozen=True)
class Advice:
    """What the log says.

    Attributes:
        questions: in the log. unknown: those in names that are gone since, left out.
        reads: tables read for them. rows_read: rows of these; rows_read_after: with all additions.
    """

    questions: int
    unknown: int
    reads: int
    rows_read: int
    rows_read_after: int
    additions: tuple[Addition, ...]
    removals: tuple[Removal, ...]


def advise(cube: Cube, noted: Iterable[Mapping[str, Any]], limit: int = 5) -> Advice:
    """What to add, at most `limit` rollups, and what can be dropped.

    Args:
        noted: lines of the query log.
    """
    weights, questions, unknown = _needs(cube, noted)
    costs = {need: route(need, cube.sizes).rows for need in weights}
    total = sum(costs[need] * weight for need, weight in weights.items())
    additions = _additions(cube, costs, weights, limit, total)
    return Advice(
        questions=questions,
        unknown=unknown,
        reads=weights.total(),
        rows_read=total,
        rows_read_after=total - sum(addition.gain for addition in additions),
        additions=tuple(additions),
        removals=tuple(_removals(cube, weights)) if questions > unknown else (),
    )


def _needs(cube: Cube, noted: Iterable[Mapping[str, Any]]) -> tuple[Counter[Need], int, int]:
    """What was needed of tables and how often; how many questions there are, and how many are not understood."""
    asked = Counter((_question(line), line.get("role", "")) for line in noted)
    weights: Counter[Need] = Counter()
    unknown = 0
    for (query, role), times in asked.items():
        try:
            relations = compile_query(query, cube.context(restriction(role, cube.dictionary))).relations
        except CubeError:
            unknown += times
            continue
        for relation in relations:
            weights[relation.need] += times
    return weights, asked.total(), unknown


def _question(line: Mapping[str, Any]) -> Query:
    """The question again; members of its conditions were not noted, and which table answers does not hang on them."""
    held = [f"{level} = '0'" for level in line["pinned"]]
    filtered = [f"{level} in ('0', '1')" for level in line["filtered"] if level not in line["pinned"]]
    return Query.of(line["metrics"], line["by"], held + filtered)


def _additions(
    cube: Cube, costs: Mapping[Need, int], weights: Mapping[Need, int], limit: int, total: int
) -> list[Addition]:
    # what is read in one vector already can't be had for less
    slow = {need: cost * weights[need] for need, cost in costs.items() if cost > VECTOR}
    sizes = sizes_of(candidates(slow), cube)
    answered = {candidate: _answered(candidate, slow, cube.sizes) for candidate in sizes}
    demand = Demand(costs, weights, {candidate: size.rows for candidate, size in sizes.items()}, answered)
    picks = greedy(demand, limit, least=int(total * LEAST_SHARE))
    left, found = dict(costs), []
    for pick in picks:
        size = sizes[pick.view]
        better = [need for need in answered[pick.view] if left[need] > size.rows]
        left |= dict.fromkeys(better, size.rows)
        found.append(_addition(pick.view, size, sum(weights[need] for need in better), pick.benefit, total))
    return found


def _answered(candidate: Candidate, needs: Iterable[Need], sizes: Sizes) -> list[Need]:
    rollup = candidate.rollup
    return [need for need in needs if need.source is candidate.source and answers(rollup, need, sizes)]


def _addition(candidate: Candidate, size: Size, reads: int, gain: int, total: int) -> Addition:
    return Addition(
        source=candidate.source.name,
        levels=tuple(candidate.level_names),
        holds=tuple(sorted(measure.name for measure in candidate.members)),
        rows=size.rows,
        rows_are="counted" if size.counted else "estimated",
        made_from=size.made_from,
        reads=reads,
        gain=gain,
        share=round(gain / total, 4),
    )


def _removals(cube: Cube, weights: Mapping[Need, int]) -> list[Removal]:
    """One after another, the cheapest to miss first, then the largest: two that stand in for each other aren't both."""
    kept = {source.name: source.rollups for source in cube.dictionary.sources.values()}
    found: list[Removal] = []
    while able := [
        removal
        for name, rollups in kept.items()
        for rollup in rollups
        if rollup.name in cube.sizes.rows and (removal := _removal(rollup, name, kept, cube, weights)) is not None
    ]:
        best = min(able, key=lambda removal: (removal.cost, -removal.rows, removal.rollup))
        found.append(best)
        kept = {name: tuple(r for r in rollups if r.name != best.rollup) for name, rollups in kept.items()}
    return found


def _removal(
    rollup: Rollup, source: str, kept: Mapping[str, tuple[Rollup, ...]], cube: Cube, weights: Mapping[Need, int]
) -> Removal | None:
    """None: a question would miss it."""
    others = tuple(other for other in kept[source] if other is not rollup)
    cost, reads, instead = 0, 0, set()
    for need, weight in weights.items():
        if need.source.name != source or not answers(rollup, need, cube.sizes):
            continue
        now, then = _routed(need, kept[source], cube), _routed(need, others, cube)
        if now.rollup is not rollup:
            continue
        if then.rows - now.rows > max(now.rows * NEARLY, VECTOR):
            return None
        cost += (then.rows - now.rows) * weight
        reads += weight
        instead.add(then.answered_by)
    return Removal(rollup.name, rollup.table, cube.sizes.rows[rollup.name], reads, cost, tuple(sorted(instead)))


def _routed(need: Need, rollups: tuple[Rollup, ...], cube: Cube) -> Relation:
    """With these rollups only."""
    return route(replace(need, source=replace(need.source, rollups=rollups)), cube.sizes)
