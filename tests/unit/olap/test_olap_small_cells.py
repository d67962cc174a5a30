"""No hidden cell can be worked out from its own answer: random shops, every total, and all that shares tell."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dagster_project.olap.cube import Cube
from dagster_project.olap.small_cells import Cells
from tests.support.small_cube import SmallCube

LEAST = 3
DEPARTMENTS = {"A": 5, "B": 4, "C": 1, "D": 3}


def random_shop(seed: int) -> SmallCube:
    """Six stores, thirteen products, four months; in each month a product is bought by few people, or by none."""
    chance = random.Random(seed)
    made = SmallCube(
        regions=["North", "North", "South", "South", "South", "West"],
        products=[(department, f"{department}{nth}") for department, n in DEPARTMENTS.items() for nth in range(n)],
        policies={"careful": {"min_customers": LEAST}},
    )
    for month in range(1, 5):
        for product in range(1, 14):
            # what sells well does so each month
            bought_by = chance.choice([0, 1, 2, 4] if product % 3 == 0 else [3, 4, 6, 9, 12])
            made.lines += [
                (date(2017, month, 5), chance.randrange(1, 7), product, person, chance.randrange(1, 10**6))
                for person in chance.sample(range(1, 60), bought_by)
            ]
    return made


def opened(made: SmallCube, folder: Path) -> tuple[Cube, Cube]:
    """The shop's cube for a role, and as it is."""
    path = made.write(folder / "warehouse.duckdb")
    return Cube(path, role="careful"), Cube(path)


BY = ("store.region, product.category", "calendar.month, product.department, product.category", "store.region")


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("seed", range(8))
def test_no_total_less_the_cells_shown_is_a_hidden_cell_or_of_few_people(seed: int, by: str, tmp_path: Path) -> None:
    careful, open_to_all = opened(random_shop(seed), tmp_path)
    levels = by.split(", ")
    rows = careful.query("net_sales", by).records()
    counts = {tuple(row[level] for level in levels): row["buyers"] for row in open_to_all.query("buyers", by).records()}
    people = [counts[tuple(row[level] for level in levels)] for row in rows]
    assert all(row["net_sales"] is None for row, count in zip(rows, people, strict=True) if count < LEAST)
    assert all(row["suppressed"] is (row["net_sales"] is None) for row in rows)
    for kept in (kept for n in range(len(levels)) for kept in combinations(levels, n)):
        groups: dict[Any, list[tuple[bool, int]]] = defaultdict(list)
        for row, count in zip(rows, people, strict=True):
            groups[tuple(row[level] for level in kept)].append((row["suppressed"], count))
        for cells in groups.values():
            hidden = [count for suppressed, count in cells if suppressed]
            if hidden and len(hidden) < len(cells):
                assert len(hidden) >= 2
                assert max(hidden) >= LEAST


MONTHS = [f"2017-0{nth}" for nth in range(1, 5)]
# months before its own that a value is taken over, in these shops that sell on the 5th
REACH = {"net_sales.previous_period": (1, 1), "net_sales.rolling_91_days": (3, 0), "net_sales.year_to_date": (4, 0)}


@pytest.mark.parametrize(
    "metrics",
    [
        "net_sales, net_sales.share",
        "net_sales, net_sales.share_of_parent",
        "net_sales, net_sales.share, net_sales.share_of_parent, net_sales.rank",
        "net_sales, net_sales.year_to_date, net_sales.previous_period",
        "net_sales, net_sales.share_of_parent, net_sales.year_to_date, net_sales.rolling_91_days",
    ],
)
@pytest.mark.parametrize("seed", range(8))
def test_the_equations_of_an_answer_have_no_solution_for_a_small_cell(seed: int, metrics: str, tmp_path: Path) -> None:
    """Each value shown tells a sum of cells; solved together, these sums tell no small cell."""
    careful, open_to_all = opened(random_shop(seed), tmp_path)
    by = ["calendar.month", "product.department", "product.category"]
    truth = open_to_all.query("net_sales, buyers", by).records()
    cells = Sums({tuple(row[level] for level in by): (nth, row) for nth, row in enumerate(truth)})
    rows = careful.query(metrics, by).records()
    known = [vector for row in rows for vector in cells.told(row)]
    assert known
    basis = np.array(known)
    rank = np.linalg.matrix_rank(basis)
    small = [nth for nth, row in enumerate(truth) if row["buyers"] < LEAST]
    assert small
    for nth in small:
        unit = np.zeros((1, len(truth)))
        unit[0, nth] = 1
        assert np.linalg.matrix_rank(np.vstack([basis, unit])) > rank, truth[nth]


class Sums:
    """What values of an answer tell: each one a vector over the cells, 1 where a cell is in the sum."""

    def __init__(self, cells: dict[tuple[Any, ...], tuple[int, dict[str, Any]]]) -> None:
        self.cells = cells
        self.values = np.array([float(row["net_sales"]) for _, row in cells.values()])

    def of(self, months: list[str], department: str = "", category: str = "") -> np.ndarray:
        vector = np.zeros(len(self.cells))
        for (month, of_department, of_category), (nth, _) in self.cells.items():
            vector[nth] = month in months and department in {"", of_department} and category in {"", of_category}
        return vector

    def told(self, row: dict[str, Any]) -> list[np.ndarray]:
        month, department, category = row["calendar.month"], row["product.department"], row["product.category"]
        place = MONTHS.index(month)
        own = self.of([month], department, category)
        found = []
        for name, value in row.items():
            if not name.startswith("net_sales") or value is None or name.endswith("rank"):
                continue
            if "share" in name:
                vector = self.of([month], department if "parent" in name else "")
                assert float(value) == pytest.approx(own @ self.values / (vector @ self.values))
            else:
                first, last = REACH.get(name, (0, 0))
                taken = MONTHS[max(place - first, 0) : place - last + 1]
                vector = self.of(taken, department, category)
                if name.endswith("91_days") and place < 3:
                    # a month that is over is a few days longer than one that ends on the 5th
                    vector = self.of(MONTHS[max(place - 2, 0) : place + 1], department, category)
                assert float(value) == vector @ self.values, name
            found.append(vector)
        return found


def test_wholes_of_two_kinds_do_not_tell_of_the_parent_without_a_share(tmp_path: Path) -> None:
    """All less department A is department C, whose only category is of one person."""
    made = SmallCube(
        products=[("A", "A1"), ("A", "A2"), ("A", "A3"), ("C", "C1")], policies={"careful": {"min_customers": LEAST}}
    )
    for product, bought_by in enumerate((3, 4, 9, 1), start=1):
        made.lines += [(date(2017, 1, 5), 1, product, person, 10 * product) for person in range(1, bought_by + 1)]
    careful, _ = opened(made, tmp_path)
    by = "product.department, product.category"
    rows = careful.query("net_sales, net_sales.share, net_sales.share_of_parent", by).records()
    assert [row["net_sales"] is None for row in rows] == [True, True, False, True]
    assert [row["net_sales.share_of_parent"] is None for row in rows] == [True, True, False, True]
    assert [row["net_sales.share"] for row in rows] == [None] * 4
    alone = careful.query("net_sales.share", by).records()
    assert [row["net_sales.share"] is None for row in alone] == [True, True, False, True]


def test_the_period_after_a_hidden_one_tells_who_was_in_it() -> None:
    """Retained and lost people of a month are the people of the month before."""
    months = np.array([[store, month] for month in range(5) for store in range(2)])
    people = np.array([[9, 9], [2, 9], [3, 9], [9, 9], [9, 9]])
    cells = Cells(months[:, 1:][::2], [people[:, 0]], LEAST)
    assert cells.hidden.tolist() == [False, True, True, False, False]
    assert cells.followed([]).tolist() == [False, True, True, True, False]
    by_store = Cells(months, [people.reshape(-1)], LEAST)
    hidden, followed = by_store.hidden.reshape(5, 2), by_store.followed([0]).reshape(5, 2)
    assert hidden[:, 0].tolist() == [False, True, True, False, False]
    assert (followed[1:] == (hidden[1:] | hidden[:-1])).all()


def test_the_same_cells_are_hidden_each_time(tmp_path: Path) -> None:
    """Other companions another time would tell by what is hidden once and shown then."""
    careful, _ = opened(random_shop(7), tmp_path)
    by = "product.department, product.category, calendar.month"
    once = [careful.query("net_sales", by).records() for _ in range(5)]
    assert all(rows == once[0] for rows in once)


def test_cells_of_an_empty_answer_and_of_no_level() -> None:
    assert Cells(np.zeros((0, 2), np.int64), [np.zeros(0, np.int64)], LEAST).hidden.tolist() == []
    one = np.zeros((1, 0), np.int64)
    assert Cells(one, [np.array([2])], LEAST).hidden.tolist() == [True]
    assert Cells(one, [np.array([3])], LEAST).hidden.tolist() == [False]


def test_each_source_is_hidden_by_its_own_people() -> None:
    """Two people gave something back in the first store, nobody elsewhere: no other store is hidden for that."""
    stores = np.array([[0], [1], [2]])
    assert Cells(stores, [np.array([9, 9, 9]), np.array([2, 0, 0])], LEAST).hidden.tolist() == [True, False, False]


def test_a_cell_hidden_by_another_count_is_companion_enough() -> None:
    stores = np.array([[0], [1], [2], [3]])
    sold, returned = np.array([9, 2, 4, 9]), np.array([2, 0, 8, 5])
    assert Cells(stores, [sold, returned], LEAST).hidden.tolist() == [True, True, True, False]
