"""All 305 files of Online Retail: 50 loads of the year as it came, against shuffled arrival and a rebuild.

Every night of the first and of the last two weeks is a load of its own; between them one load takes a trading week.
"""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.support.installation import assert_same_tables
from tests.support.online_retail import Shop, data, days, figures, in_warehouse

pytestmark = pytest.mark.soak

DAILY = 12
SHUFFLED_LOADS = 6


def groups() -> list[list[date]]:
    """The days that land together: single ones at both ends, weeks between."""
    listed = days()
    middle = listed[DAILY:-DAILY]
    weeks: dict[tuple[int, int], list[date]] = {}
    for day in middle:
        weeks.setdefault(day.isocalendar()[:2], []).append(day)
    return [*([day] for day in listed[:DAILY]), *weeks.values(), *([day] for day in listed[-DAILY:])]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop.at(tmp_path_factory.mktemp("soak"))
    for group in groups():
        shop.arrive(*group)
        shop.load(group[-1].isoformat(), "--from", group[0].isoformat())
    return shop


def test_every_line_of_305_files_is_accounted_for(year: Shop) -> None:
    assert sum(len(group) for group in groups()) == 305
    assert in_warehouse(year) == figures(pd.read_parquet(data() / "online_retail.parquet"))
    accounted = year.sql("select sum(rows_read), sum(rows_accepted), sum(rows_quarantined) from ops.batch")
    assert accounted == [(541_909, 541_909, 0)]


def test_a_rebuild_gives_the_same_tables(year: Shop, tmp_path: Path) -> None:
    rebuilt = year.copy(tmp_path / "rebuilt")
    rebuilt.load(days()[-1].isoformat(), "--rebuild")
    assert_same_tables(year, rebuilt)


def test_shuffled_arrival_gives_the_same_tables(year: Shop, tmp_path: Path) -> None:
    shuffled = Shop.at(tmp_path)
    arriving = days()
    random.Random(305).shuffle(arriving)
    for part in range(SHUFFLED_LOADS):
        shuffled.arrive(*arriving[part::SHUFFLED_LOADS])
        shuffled.load(days()[-1].isoformat())
    assert_same_tables(year, shuffled)
