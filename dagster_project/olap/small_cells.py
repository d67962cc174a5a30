"""Cells of few people are hidden in an answer, and with them what they could be worked out from.

Primary and complementary suppression of magnitude tables: Hundepool et al. 2012, Statistical Disclosure Control, ch. 4.
A cell is hidden if it is of fewer people than the policy says; cells of nobody are shown. A total less the cells that
are shown must not be a hidden cell: so wherever some of the cells of a total are hidden, two or more are, and one of
them is of enough people, so that the difference is of enough people, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.olap.compiler import Statement
from dagster_project.olap.dictionary import Dictionary, Policy
from dagster_project.olap.query import Asked

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
SUPPRESSED = "suppressed"


def without_small_cells(table: pa.Table, statement: Statement, policy: Policy, dictionary: Dictionary) -> pa.Table:
    """The answer: values of hidden cells NULL, `suppressed` true where a value is hidden; ordered and cut."""
    resolved, names = statement.resolved, [level.name for level in statement.resolved.by]
    codes = np.column_stack([_codes(table[name]) for name in names] or [np.zeros(table.num_rows, np.int64)])
    people = [_counts(table[guard]) for guard in statement.guards or ()]
    cells = Cells(codes if names else codes[:, :0], people, policy.min_customers)
    calendar = [nth for nth, level in enumerate(resolved.by) if level.dimension == "calendar"]
    answer, any_hidden = table.select(list(statement.columns)), cells.hidden.copy()
    for asked in resolved.asked:
        without = _without(asked, resolved.asked, calendar, cells, dictionary)
        any_hidden |= without
        place = answer.column_names.index(asked.name)
        column = answer.column(place)
        answer = answer.set_column(
            place, asked.name, pc.if_else(pa.array(without), pa.scalar(None, column.type), column)
        )
    answer = answer.append_column(SUPPRESSED, pa.array(any_hidden))
    return _ordered(answer, resolved.order, names, resolved.limit)


class Cells:
    """The cells of an answer.

    Args:
        codes: a row a cell, a column a level; equal members have equal numbers.
        people: counts of the people in each cell, one array for each source and window that is read.
        least: people a cell must be of.
    """

    def __init__(self, codes: Integers, people: Sequence[Integers], least: int) -> None:
        self.codes, self.people, self.least = codes, people, least
        self.hidden: Mask = np.zeros(len(codes), np.bool_)
        self._hidden_by: list[Mask] = []
        for count in people:
            self._hidden_by.append(self._hide(count))
            self.hidden |= self._hidden_by[-1]

    def _hide(self, count: Integers) -> Mask:
        """Cells small by a count and those hidden with them, for every total over any of the levels."""
        hidden: Mask = (count > 0) & (count < self.least)
        if not hidden.any():
            return hidden
        levels = range(self.codes.shape[1])
        totals = [self.groups(kept) for kept in chain.from_iterable(combinations(levels, n) for n in levels)]
        before = -1
        while (now := int(hidden.sum())) != before:
            before = now
            for groups in totals:
                hidden |= self._companions(groups, count, hidden)
        return hidden

    def groups(self, levels: Sequence[int]) -> Integers:
        """For each cell the number of the total it is part of, if only these levels are kept."""
        if not levels:
            return np.zeros(len(self.codes), np.int64)
        return np.unique(self.codes[:, levels], axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)

    def told(self, levels: Sequence[int]) -> Mask:
        """Cells whose total over the other levels would tell of hidden ones by itself."""
        groups, told = self.groups(levels), np.zeros(len(self.codes), np.bool_)
        for count, hidden in zip(self.people, self._hidden_by, strict=True):
            if hidden.any():
                told |= self._open(groups, count, hidden)[groups]
        return told

    def touched(self, levels: Sequence[int]) -> Mask:
        """Cells of totals in which a cell is hidden."""
        groups = self.groups(levels)
        touched: Mask = (np.bincount(groups, self.hidden) > 0)[groups]
        return touched

    def followed(self, levels: Sequence[int]) -> Mask:
        """Hidden cells and the one after each, among cells that share the levels; cells come in order of periods."""
        groups = self.groups(levels)
        order = np.argsort(groups, kind="stable")
        hidden = self.hidden[order]
        after = np.append(False, hidden[:-1] & (groups[order][1:] == groups[order][:-1]))
        found = self.hidden.copy()
        found[order] |= after
        return found

    def _open(self, groups: Integers, count: Integers, hidden: Mask) -> Mask:
        """Totals, by number, whose hidden cells could be worked out from it and the cells that are shown."""
        size = int(groups.max()) + 1
        unknown = np.bincount(groups, hidden & (count > 0), size)
        enough = np.bincount(groups, hidden & (count >= self.least), size)
        shown = np.bincount(groups, ~hidden, size)
        found: Mask = (unknown > 0) & (shown > 0) & ((unknown < 2) | (enough < 1))
        return found

    def _companions(self, groups: Integers, count: Integers, hidden: Mask) -> Mask:
        """Of each total that is open a cell of enough people: one that is hidden by another count, else the smallest.

        Where there is none, the total is of the people of the hidden cells alone: it is small itself, or may be seen.
        """
        able = np.flatnonzero(~hidden & (count >= self.least) & self._open(groups, count, hidden)[groups])
        ordered = able[np.lexsort((count[able], ~self.hidden[able]))]
        first = np.unique(groups[ordered], return_index=True)[1]
        found = np.zeros(len(hidden), np.bool_)
        found[ordered[first]] = True
        return found


def _without(
    asked: Asked, all_asked: Sequence[Asked], calendar: Sequence[int], cells: Cells, dictionary: Dictionary
) -> Mask:
    """Cells in which a metric is hidden: its own, and those that would tell of them.

    - taken over a window of days: all periods of the same members, as one window less another is a period
    - who stayed and who was lost since the period before: the period after, as these were the people of this one
    - a rank: all of the period, as it says between which others a hidden one lies
    - a share: those of a whole that would tell by itself; of wholes of two kinds, the larger's are hidden as ranks are,
      as one less the other is a total, too
    """
    then = asked.variant.then if asked.variant is not None else "value"
    types = dictionary.types(asked.metric)
    windowed = "cumulative" in types or (asked.variant is not None and asked.variant.window is not None)
    members = [nth for nth in range(cells.codes.shape[1]) if nth not in calendar]
    if not cells.hidden.any():
        return cells.hidden
    if then not in {"rank", "share", "share_of_parent"}:
        if windowed:
            return cells.touched(members)
        return cells.followed(members) if "movement" in types else cells.hidden
    if windowed or "movement" in types:
        return np.ones(len(cells.hidden), np.bool_)
    both = {item.variant.then for item in all_asked if item.variant is not None} >= {"share", "share_of_parent"}
    if then == "rank" or (then == "share" and both):
        return cells.touched(calendar)
    return cells.hidden | cells.told([*calendar, *(members[:-1] if then == "share_of_parent" else ())])


def _codes(column: pa.ChunkedArray) -> Integers:
    """Members as numbers; NULL is a member, too."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    codes: Integers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _counts(column: pa.ChunkedArray) -> Integers:
    """People of each cell; a cell that a source has no rows of is of nobody."""
    counts: Integers = pc.fill_null(column, 0).to_numpy().astype(np.int64)
    return counts


def _ordered(answer: pa.Table, order: Sequence[str], levels: Sequence[str], limit: int) -> pa.Table:
    directions = {name.removeprefix("-"): "descending" if name.startswith("-") else "ascending" for name in order}
    directions |= {name: "ascending" for name in levels if name not in directions}
    if directions:
        keys = [(name, direction, "at_end") for name, direction in directions.items()]
        answer = answer.take(pc.sort_indices(answer, sort_keys=keys))
    return answer.slice(0, limit) if limit else answer
