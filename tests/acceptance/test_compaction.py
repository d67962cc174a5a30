"""`clientele landing compact`: fewer files, the same warehouse, also when it is killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import Installation, assert_same_tables
from tests.support.observe import kill_at, ledger, served
from tests.support.small_shop import SmallShop

pytestmark = pytest.mark.long

NIGHTS = ("2017-03-01", "2017-03-02", "2017-03-03", "2017-04-02")
LINES = "select order_id::int, net_amount::varchar from star.fct_sales_line order by 1"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Four nights in two months, a line each; a household moves up each night."""
    folder = tmp_path_factory.mktemp("compaction")
    shop = SmallShop(folder / "home-data")
    home = Installation(folder / "home", shop.folder)
    shop.set("products", (10, 2, "GROCERY", "National", "MILK", "FLUID MILK", None))
    for number, day in enumerate(NIGHTS):
        income = ("15-24K", "25-34K", "35-49K", "50-74K")[number]
        shop.set("demographics", (1, "25-34", income, None, None, "1", "1 Adult No Kids", "0"))
        shop.line(100 + number, 1, 10, f"{day} 15:00:00", 2.00 + number)
        shop.write()
        home.load(day)
    return home


@pytest.fixture
def home(nights: Installation, tmp_path: Path) -> Installation:
    return nights.copy(tmp_path / "home")


def compact(home: Installation, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.run("landing", "compact", *options, "--json", check=0).json
    return found


def batches(home: Installation) -> Any:
    return home.run("landing", "list", "--json", check=0).json


def folders(home: Installation, feed: str) -> list[str]:
    return sorted(path.name.partition("=")[0] for path in (home.home / "landing/complete_journey" / feed).glob("*=*"))


def test_only_loads_that_every_kept_release_holds_are_compacted(home: Installation) -> None:
    assert len(home.run("release", "list", "--json").json) == 3  # the first release kept is the second night's

    (lines,) = compact(home, "complete_journey.transactions")

    assert (lines["month"], lines["batches"], lines["rows_compacted"]) == ("2017-03-01", 2, 2)
    assert folders(home, "transactions") == ["compacted", "load", "load"]


def test_a_dry_run_changes_nothing(home: Installation) -> None:
    before = folders(home, "transactions")

    assert compact(home, "complete_journey.transactions", "--dry-run")

    assert folders(home, "transactions") == before
    assert ledger(home, "compaction") == []


def test_a_rebuild_from_compacted_landing_equals_the_grown_warehouse(home: Installation, nights: Installation) -> None:
    home.run("release", "prune", "--keep", "1", check=0)
    listed, before = batches(home), served(home)

    done = {row["feed"]: row["batches"] for row in compact(home)}

    assert (done["transactions"], done["demographics"]) == (3, 3)
    assert batches(home) == listed
    assert served(home) == before
    assert compact(home) == []
    assert home.load(NIGHTS[-1])["status"] == "unchanged"
    home.load(NIGHTS[-1], "--rebuild")
    assert_same_tables(home, nights)
    logged = home.sql("select feed, batches from ops.compaction where feed = 'transactions'")
    assert logged == [("transactions", 3)]


def test_an_as_of_build_leaves_out_the_later_rows_of_a_compacted_file(home: Installation, nights: Installation) -> None:
    home.run("release", "prune", "--keep", "1", check=0)
    load = sorted({batch["load"] for batch in batches(home)})[1]
    compact(home)

    report = home.load(None, "--as-of", load)

    assert (report["status"], report["kind"]) == ("published", "as-of")
    beside = Installation(home.home / "as_of" / load, home.data)
    assert beside.sql(LINES) == [(100, "2.0000"), (101, "3.0000")]
    income = "select max(income_band) from star.dim_customer where is_current and customer_id = '1'"
    assert (beside.sql(income), home.sql(income)) == ([("25-34K",)], [("50-74K",)])
    assert home.sql(LINES) == nights.sql(LINES)


@pytest.mark.parametrize("stage", ["before_the_compacted_file_counts", "while_compacted_batches_are_removed"])
def test_a_killed_compaction_is_finished_without_hands(stage: str, home: Installation, nights: Installation) -> None:
    home.run("release", "prune", "--keep", "1", check=0)
    before = served(home)

    kill_at(stage, home, "landing", "compact")

    assert served(home) == before
    home.load(NIGHTS[-1], "--rebuild")
    assert_same_tables(home, nights)
    assert not list((home.home / "landing").glob("*/*/.compact-*"))
    compact(home)
    assert "compacted" in folders(home, "transactions")
    home.load(NIGHTS[-1], "--rebuild")
    assert_same_tables(home, nights)


def test_a_feed_that_has_not_landed_is_named(home: Installation) -> None:
    told = home.run("landing", "compact", "complete_journey.orders", check=1).text
    assert "nothing of complete_journey.orders has landed" in told
    assert "Traceback" not in told
