"""Which views to keep: the greedy algorithm over what can be answered from what.

Harinarayan, Rajaraman and Ullman, "Implementing Data Cubes Efficiently", SIGMOD 1996: a question costs as many rows as
the smallest view that answers it has; each round takes the view of the greatest benefit, which is what all questions
together cost less with it. What is taken has at least 63% (1 - 1/e) of the benefit of the best choice of as many views.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

View = TypeVar("View", bound=Hashable)
Question = TypeVar("Question", bound=Hashable)


@dataclass(frozen=True)
class Pick(Generic[View]):
    """A view that was taken. `benefit`: rows that all questions together read less, given the views taken before."""

    view: View
    benefit: int


@dataclass(frozen=True)
class Demand(Generic[View, Question]):
    """What is asked, and of which views it could be answered.

    Attributes:
        costs: question -> rows it reads now.
        weights: question -> how often it was asked.
        rows: view -> its rows.
        answers: view -> the questions it can answer.
    """

    costs: Mapping[Question, int]
    weights: Mapping[Question, int]
    rows: Mapping[View, int]
    answers: Mapping[View, Collection[Question]]

    def benefit(self, view: View, costs: Mapping[Question, int]) -> int:
        """Rows that all questions together read less with the view; B(v, S) of the paper."""
        rows = self.rows[view]
        return sum(max(costs[question] - rows, 0) * self.weights[question] for question in self.answers[view])


def greedy(demand: Demand[View, Question], limit: int, least: int = 1) -> list[Pick[View]]:
    """At most `limit` views, each of the greatest benefit beside those before it, and of `least` rows or more.

    Of views of the same benefit the smaller one is taken, then the one named first.
    """
    costs = dict(demand.costs)
    left = list(demand.rows)
    picks: list[Pick[View]] = []
    while left and len(picks) < limit:
        best = max(left, key=lambda view: (demand.benefit(view, costs), -demand.rows[view]))
        benefit = demand.benefit(best, costs)
        if benefit < max(least, 1):
            break
        picks.append(Pick(best, benefit))
        left.remove(best)
        for question in demand.answers[best]:
            costs[question] = min(costs[question], demand.rows[best])
    return picks
