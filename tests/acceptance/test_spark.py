"""The same warehouse on Spark: slices of every source, a first load and three nights of everything, equal row by row.

One home, whose tests follow each other as nights do. DuckDB builds each night; Spark, of which a build takes minutes,
the first one and then all three at once: what it has then must not depend on that. Spark night by night, and a driver
that is killed, are among the long tests.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.all_sources import AllSources, service_changes, service_orders
from tests.support.installation import Installation
from tests.support.observe import ledger
from tests.support.spark import environment, needs_spark, wait_for_model

pytestmark = needs_spark

BEFORE, *NIGHTS, AFTER = "2017-02-26", "2017-02-27", "2017-02-28", "2017-03-01", "2017-03-02"
LATE = "transaction_timestamp between '2017-02-24' and '2017-02-25' and household_id % 2 = 0"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> AllSources:
    sources = AllSources.at(tmp_path_factory.mktemp("spark"))
    sources.home.env |= environment()
    service_orders(sources.service)
    sources.arrive(0)
    return sources


@pytest.fixture(scope="module")
def home(sources: AllSources) -> Installation:
    """The home, loaded once by both engines; a part of the lines arrives late, with the first night after."""
    whole = (sources.journey / "transactions.parquet").read_bytes()
    sources.edit("transactions.parquet", f"delete from t where {LATE}")
    sources.home.load(BEFORE)
    on_spark(sources.home, BEFORE)
    (sources.journey / "transactions.parquet").write_bytes(whole)
    return sources.home


def on_spark(home: Installation, night: str) -> dict[str, Any]:
    done = home.run("load", "--date", night, "--target", "spark", "--json", timeout=1800)
    assert done.code == 0, done.json["message"] + done.err[-2000:]
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


def served(home: Installation, query: str) -> list[tuple[Any, ...]]:
    """Ask the files that Spark serves; `{name}` is a table of the star."""
    files = {name.partition(".")[2]: some for name, some in current(home)["files"].items() if name.startswith("star.")}
    with duckdb.connect() as con:
        return con.execute(query.format(**{name: f"read_parquet({some})" for name, some in files.items()})).fetchall()


def lines(home: Installation) -> int:
    return int(served(home, "select count(*) from {fct_sales_line}")[0][0])


def test_a_first_load_gives_the_same_rows(home: Installation) -> None:
    assert differing(home) == []


@pytest.mark.parametrize("source", ["online_retail", "adventureworks"])
def test_the_data_of_others_is_compared_too(source: str, home: Installation, sources: AllSources) -> None:
    if source in sources.absent:
        pytest.skip(sources.absent[source])
    of_source = f"select audit_key from {{dim_audit}} where source_feed like '{source}.%'"
    query = f"select count(*) from {{fct_sales_line}} where audit_key in ({of_source})"
    assert served(home, query)[0][0] > 300


def test_a_row_of_one_engine_only_is_found_and_shown(home: Installation) -> None:
    """Another engine's table is a file: one that is written over is seen by the comparison."""
    file, key = served(home, "select filename, min(store_key) from {dim_store} group by 1 order by 2 desc")[0]
    before = Path(file).read_bytes()
    with duckdb.connect() as con:
        con.execute(f"create table t as from read_parquet('{file}')")
        con.execute(f"update t set store_id = 'elsewhere' where store_key = {key}")
        con.execute(f"copy t to '{file}' (format parquet)")
    told = home.run("parity", "--json", check=1).json
    Path(file).write_bytes(before)
    (broken,) = [item for item in told if not item["agrees"]]
    assert (broken["table"], broken["only_duckdb"], broken["only_spark"]) == ("star.dim_store", 1, 1)
    assert "elsewhere" in {row["store_id"] for row in broken["examples"]}


def test_three_nights_write_the_months_they_touch(home: Installation, sources: AllSources) -> None:
    """Late lines; upserts; descriptions learnt after the day was loaded, whose lines get the new versions."""
    before = current(home)
    late, changed, learnt = NIGHTS
    sources.arrive(1)
    home.load(late)
    sources.arrive(2)
    service_changes(sources.service)
    home.load(changed)
    sources.edit("demographics.parquet", "update t set income = '250K+'")
    sources.edit("products.parquet", "update t set department = 'MOVED' where product_id % 10 = 0")
    sources.service.set("employees", "e1", employee_id="e1", team="South")
    sources.service.write()
    home.load(learnt)

    on_spark(home, learnt)
    now = current(home)
    assert len(set(now["loads"]) - set(before["loads"])) >= len(NIGHTS)
    assert now["tables"]["star.fct_sales_line"] > before["tables"]["star.fct_sales_line"]
    # a month that nothing touched is read from the directory it lay in before
    assert set(now["files"]["star.fct_sales_line"]) & set(before["files"]["star.fct_sales_line"])
    orders = served(
        home,
        "select order_id, approved_at is not null, cast(order_date as varchar) from {fct_order_fulfilment}"
        " where source_system = 'service'",
    )
    assert sorted(orders) == [("o1", True, "2017-02-26"), ("o2", False, "2017-01-28")]
    assert served(home, "select count(*) from {dim_customer} where income_band = '250K+'")[0][0] > 0


def test_after_the_nights_all_tables_are_the_same(home: Installation) -> None:
    assert differing(home) == []


@pytest.mark.long
def test_a_night_whose_driver_is_killed_leaves_what_is_served(home: Installation, sources: AllSources) -> None:
    sources.edit("demographics.parquet", "update t set income = '200-249K'")
    before, rows, folders = current(home), lines(home), data_folders(home)
    started = home.start("load", "--date", AFTER, "--target", "spark", "--json")
    wait_for_model(home, "dim_date")
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    assert current(home) == before
    assert lines(home) == rows
    killed = data_folders(home) - folders
    assert killed, "the killed load had written nothing yet"

    on_spark(home, AFTER)
    assert not killed & data_folders(home)
    (crashed,) = [record["load_id"] for record in ledger(home, "load") if record["status"] == "crashed"]
    report = home.run("status", str(crashed), "--json").json
    assert (report["status"], report["engine"]) == ("crashed", "spark")
    home.load(AFTER)
    assert differing(home) == []
