"""Where Spark may run: a cluster that loses a worker, a Connect server, a thrift server. Real ones, started here.

And what is told of a Spark that can't do what was asked, or isn't there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.observe import ledger
from tests.support.small_shop import SmallShop
from tests.support.spark import cluster, environment, kill, needs_spark, server, wait_for_model

pytestmark = [needs_spark, pytest.mark.long]

FIRST, SECOND = "2017-03-01", "2017-03-02"


@pytest.fixture
def home(tmp_path: Path) -> Installation:
    shop = SmallShop(tmp_path / "data")
    shop.line(100, 1, 10, f"{FIRST} 15:00:00", 2.00)
    shop.line(101, 2, 20, f"{SECOND} 16:00:00", 3.50)
    shop.write()
    return Installation(tmp_path / "home", shop.folder)


def load_both(home: Installation, night: str) -> None:
    home.load(night)
    home.run("load", "--date", night, "--target", "spark", check=0, timeout=1800)
    compared = home.run("parity", "--json", check=0, timeout=600).json
    assert all(item["agrees"] for item in compared)
    assert {item["spark_rows"] for item in compared if item["table"] == "star.fct_sales_line"} == {int(night[-1])}


@pytest.mark.parametrize("kind", ["sc", "thrift"])
def test_a_server_gives_the_same_rows_over_two_nights(kind: str, home: Installation, tmp_path: Path) -> None:
    with server(kind, tmp_path / "server") as address:
        home.env |= {"CLIENTELE_SPARK_MASTER": address}
        load_both(home, FIRST)
        load_both(home, SECOND)


def test_a_cluster_that_loses_a_worker(home: Installation, tmp_path: Path) -> None:
    with cluster(tmp_path / "cluster") as (address, workers):
        # the catalog of a user's cluster: what a broken load left in it is there for the next one to clear
        options = {"spark.executor.memory": "600m", "spark.sql.catalogImplementation": "hive"}
        home.env |= environment(address, **options)
        load_both(home, FIRST)
        served = (home.home / "spark" / "current").read_text()

        home.load(SECOND)
        started = home.start("load", "--date", SECOND, "--target", "spark", "--json")
        wait_for_model(home, "fct_sales_line")
        kill(workers[0])
        out, err = started.communicate(timeout=1800)
        assert started.returncode in {0, 1}
        assert "Traceback" not in out + err
        if started.returncode:
            assert (home.home / "spark" / "current").read_text() == served

        load_both(home, SECOND)


def test_the_same_night_again_builds_nothing_and_what_spark_cannot_do_is_told(home: Installation) -> None:
    home.env |= environment()
    load_both(home, FIRST)
    again = home.run("load", "--date", FIRST, "--target", "spark", "--json", check=0).json
    assert again["status"] == "unchanged"
    load = ledger(home, "load")[0]["load_id"]
    told = home.run("load", "--as-of", str(load), "--target", "spark", check=1).text
    assert "an as-of build is a DuckDB file" in told
    home.env["CLIENTELE_SPARK_MASTER"] = "thrift://127.0.0.1:9"
    told = home.run("load", "--date", FIRST, "--rebuild", "--target", "spark", check=1).text
    assert "no thrift server answers at thrift://127.0.0.1:9" in told
    assert "Traceback" not in told
