"""Two loads at once, and readers while a load publishes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.installation import PROJECT, Installation
from tests.support.observe import is_locked, ledger, release_folders, runs
from tests.support.small_shop import SmallShop


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One night loaded, the next one waiting in the source."""
    folder = tmp_path_factory.mktemp("concurrency")
    shop = SmallShop(folder / "home-data")
    shop.line(100, 1, 10, "2017-03-01 15:00:00", 2.00)
    shop.line(101, 1, 10, "2017-03-02 15:00:00", 5.00)
    shop.write()
    home = Installation(folder / "home", shop.folder)
    home.load("2017-03-01")
    return home


@pytest.fixture
def home(base: Installation, tmp_path: Path) -> Installation:
    return base.copy(tmp_path / "home")


def wait_until_locked(home: Installation) -> None:
    deadline = time.monotonic() + 60
    while not is_locked(home):
        assert time.monotonic() < deadline, "the load never took the lock"
        time.sleep(0.02)


def test_of_two_loads_at_once_one_runs_and_the_other_refuses_or_waits(home: Installation) -> None:
    first = home.start("load", "--date", "2017-03-02", "--json")
    wait_until_locked(home)
    waiting = home.start("load", "--date", "2017-03-02", "--wait", "240", "--json")

    refused = home.run("load", "--date", "2017-03-02", check=1)
    rolled_back = home.run("release", "rollback", check=1)
    running = home.run("status", "--json").json["running"]

    holder = f"process {first.pid} on "
    for text in (refused.text, rolled_back.text):
        assert "another process is writing" in text
        assert holder in text
        assert "load of 2017-03-02, since 20" in text
        assert "--wait SECONDS" in text
        assert "Traceback" not in text
    assert holder in running
    told, late = first.communicate(timeout=240)[0], waiting.communicate(timeout=240)[0]
    assert (first.returncode, json.loads(told)["status"]) == (0, "published")
    assert (waiting.returncode, json.loads(late)["status"]) == (0, "unchanged")
    assert home.sql("select order_id::int from star.fct_sales_line order by 1") == [(100,), (101,)]
    assert len(release_folders(home)) == 2
    # who refused left no trace
    assert [r["status"] for r in ledger(home, "load") if r.get("finished_at")] == [
        "published",
        "published",
        "unchanged",
    ]
    assert set(runs(home).values()) == {"SUCCESS"}


def test_readers_see_one_release_or_the_other_while_a_load_publishes(home: Installation, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-m", "tests.support.reader", str(home.warehouse), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )
    home.env["CLIENTELE_KEEP_RELEASES"] = "1"  # the release readers have open is removed under them

    report = home.load("2017-03-02")

    time.sleep(1)
    stop.touch()
    said, errors = reader.communicate(timeout=60)
    assert (reader.returncode, errors) == (0, "")
    *answers, count = [json.loads(line) for line in said.splitlines()]
    old = ledger(home, "release")[0]["release"]
    assert answers == [[old, "2.0000", "2.0000"], [report["release"], "7.0000", "7.0000"]]
    assert count["asked"] > 20
    assert release_folders(home) == [report["release"]]
