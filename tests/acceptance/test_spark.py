"""The same warehouse on Spark: equal row by row to DuckDB's, night after night, and whole after a kill."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.installation import Installation
from tests.support.observe import ledger
from tests.support.small_shop import SmallShop
from tests.support.spark import environment, needs_spark, wait_for_model

pytestmark = needs_spark

FIRST, SECOND, THIRD = "2017-03-01", "2017-03-02", "2017-03-03"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> SmallShop:
    shop = SmallShop(tmp_path_factory.mktemp("spark") / "data")
    shop.set("products", (10, 2, "GROCERY", "National", "MILK", "FLUID MILK", None))
    shop.set("demographics", (1, "25-34", "15-24K", None, None, "1", "1 Adult No Kids", "0"))
    shop.line(100, 1, 10, f"{FIRST} 15:00:00", 2.00)
    shop.line(101, 2, 20, f"{FIRST} 16:00:00", 3.50)
    shop.write()
    return shop


@pytest.fixture(scope="module")
def home(shop: SmallShop) -> Installation:
    """One home, loaded by both engines from the same landing; its tests follow each other as nights do."""
    home = Installation(shop.folder.parent / "home", shop.folder, environment())
    both(home, FIRST)
    return home


def both(home: Installation, night: str, *options: str) -> dict[str, Any]:
    home.load(night, *options)
    return on_spark(home, night, *options)


def on_spark(home: Installation, night: str, *options: str) -> dict[str, Any]:
    done = home.run("load", "--date", night, "--target", "spark", *options, "--json", timeout=900)
    assert done.code == 0, done.text
    report: dict[str, Any] = done.json
    assert (report["status"], report["engine"]) == ("published", "spark")
    assert report["reconciliation"]["compared"] > 10
    return report


def differing(home: Installation) -> list[dict[str, Any]]:
    compared = home.run("parity", "--json").json
    assert len(compared) > 35
    return [item for item in compared if not item["agrees"]]


def current(home: Installation) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((home.home / "spark" / "current").read_text())
    return about


def data_folders(home: Installation) -> set[str]:
    return {folder.name for folder in (home.home / "spark" / "data").iterdir()}


def released(home: Installation) -> set[str]:
    """Data folders of the releases, by their names."""
    found = (home.home / "spark" / "releases").glob("*/release.json")
    return {about.parent.name.lower().replace("-", "_") for about in found}


def lines(home: Installation) -> int:
    """Rows of the sales lines that Spark serves, read from its files."""
    files = current(home)["files"]["star.fct_sales_line"]
    with duckdb.connect() as con:
        return int(con.execute("select count(*) from read_parquet($1)", [files]).fetchall()[0][0])


def test_a_first_load_gives_the_same_rows(home: Installation) -> None:
    assert differing(home) == []
    assert lines(home) == 2


def test_a_night_with_late_rows_and_a_changed_past_gives_the_same_rows(home: Installation, shop: SmallShop) -> None:
    before = current(home)
    shop.line(102, 1, 10, f"{SECOND} 15:00:00", 4.00)
    shop.line(90, 3, 10, "2017-02-27 15:00:00", 7.00)
    shop.set("products", (10, 2, "DAIRY", "National", "MILK", "FLUID MILK", None))
    shop.set("demographics", (1, "25-34", "25-34K", None, None, "1", "1 Adult No Kids", "0"))
    shop.write()
    both(home, SECOND)
    assert differing(home) == []
    assert lines(home) == 4
    # the month that nothing touched is read from the directory it lay in before
    kept, now = (set(about["files"]["star.fct_promo_coverage"]) for about in (before, current(home)))
    assert kept == now
    assert on_spark_unchanged(home)


def on_spark_unchanged(home: Installation) -> bool:
    """The same night again builds nothing."""
    done = home.run("load", "--date", SECOND, "--target", "spark", "--json", check=0)
    return bool(done.json["status"] == "unchanged")


def test_a_row_of_one_engine_only_is_found_and_shown(home: Installation) -> None:
    """Another engine's table is a file: one that is written over is seen by the comparison."""
    files = current(home)["files"]["star.dim_store"]
    with duckdb.connect() as con:
        query = "select filename from read_parquet($1, filename = true) where store_id = '7'"
        ((file,),) = con.execute(query, [files]).fetchall()
        before = Path(file).read_bytes()
        con.execute(f"create table t as from read_parquet('{file}')")
        con.execute("update t set store_id = 'elsewhere' where store_id = '7'")
        con.execute(f"copy t to '{file}' (format parquet)")
    told = home.run("parity", "--json", check=1).json
    Path(file).write_bytes(before)
    (broken,) = [item for item in told if not item["agrees"]]
    assert (broken["table"], broken["only_duckdb"], broken["only_spark"]) == ("star.dim_store", 1, 1)
    assert {row["store_id"] for row in broken["examples"]} == {"7", "elsewhere"}


def test_a_killed_driver_leaves_what_was_published_and_the_next_load_finishes(
    home: Installation, shop: SmallShop
) -> None:
    before = current(home)
    shop.line(103, 2, 20, f"{THIRD} 15:00:00", 1.25)
    shop.write()
    started = home.start("load", "--date", THIRD, "--target", "spark", "--json")
    wait_for_model(home, "fct_sales_line")
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    assert current(home) == before
    assert lines(home) == 4
    assert data_folders(home) > released(home), "the killed load had written nothing yet"
    both(home, THIRD)
    assert data_folders(home) == released(home)
    assert "crashed" in [record["status"] for record in ledger(home, "load")]
    assert differing(home) == []
    assert lines(home) == 5


def test_what_spark_cannot_do_is_told(home: Installation) -> None:
    load = ledger(home, "load")[0]["load_id"]
    told = home.run("load", "--as-of", str(load), "--target", "spark", check=1).text
    assert "an as-of build is a DuckDB file" in told
    unreachable = Installation(home.home, home.data, home.env | {"CLIENTELE_SPARK_MASTER": "thrift://127.0.0.1:9"})
    told = unreachable.run("load", "--date", THIRD, "--rebuild", "--target", "spark", check=1).text
    assert "no thrift server answers at thrift://127.0.0.1:9" in told
    assert "Traceback" not in told
