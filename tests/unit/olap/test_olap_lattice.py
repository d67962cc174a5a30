"""The greedy choice of views does what its paper shows."""

from __future__ import annotations

from dagster_project.olap.lattice import Demand, Pick, greedy

# Harinarayan, Rajaraman and Ullman, SIGMOD 1996, the example of the greedy algorithm: eight views a to h by their
# space, a at the top, and what each can answer. a is always kept; each view is also asked for, once.
SPACE = {"a": 100, "b": 50, "c": 75, "d": 20, "e": 30, "f": 40, "g": 1, "h": 10}
BELOW = {
    "b": "bdegh", "c": "cefgh", "d": "dg", "e": "egh", "f": "fh", "g": "g", "h": "h",
}  # fmt: skip


def example() -> Demand[str, str]:
    return Demand(
        costs=dict.fromkeys(SPACE, SPACE["a"]),
        weights=dict.fromkeys(SPACE, 1),
        rows={view: rows for view, rows in SPACE.items() if view != "a"},
        answers=BELOW,
    )


def test_the_benefits_of_the_first_round_are_those_of_the_paper() -> None:
    demand = example()
    assert {view: demand.benefit(view, demand.costs) for view in demand.rows} == {
        "b": 50 * 5, "c": 25 * 5, "d": 80 * 2, "e": 70 * 3, "f": 60 * 2, "g": 99, "h": 90,
    }  # fmt: skip


def test_the_benefits_of_later_rounds_count_what_is_left_to_gain() -> None:
    demand = example()
    with_b = {**demand.costs, **dict.fromkeys(BELOW["b"], 50)}
    assert {view: demand.benefit(view, with_b) for view in "cdefgh"} == {
        "c": 25 * 2, "d": 30 * 2, "e": 20 * 3, "f": 60 + 10, "g": 49, "h": 40,
    }  # fmt: skip
    with_b_f = {**with_b, "f": 40, "h": 40}
    assert {view: demand.benefit(view, with_b_f) for view in "cdegh"} == {
        "c": 25, "d": 30 * 2, "e": 20 * 2 + 10, "g": 49, "h": 30,
    }  # fmt: skip


def test_three_views_are_taken_as_in_the_paper() -> None:
    picks = greedy(example(), limit=3)
    assert picks == [Pick("b", 250), Pick("f", 70), Pick("d", 60)]
    # all eight questions read 800 rows of a alone, 420 with the three
    assert 8 * SPACE["a"] - sum(pick.benefit for pick in picks) == 420


def test_what_is_asked_often_weighs_more() -> None:
    often = Demand(example().costs, {**example().weights, "g": 100}, example().rows, BELOW)
    assert greedy(often, limit=1) == [Pick("g", 99 * 100)]


def test_a_view_without_gain_is_not_taken() -> None:
    picks = greedy(example(), limit=8, least=50)
    assert [pick.view for pick in picks] == ["b", "f", "d"]
    assert sum(pick.benefit for pick in greedy(example(), limit=99)) == sum(100 - SPACE[view] for view in SPACE)


def test_of_views_of_the_same_benefit_the_smaller_is_taken() -> None:
    demand = Demand({"q": 100, "r": 60}, {"q": 1, "r": 1}, {"large": 50, "small": 40}, {"large": "qr", "small": "q"})
    assert greedy(demand, limit=1) == [Pick("small", 60)]
