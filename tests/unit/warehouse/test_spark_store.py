"""Files of a release on Spark are removed when, and only when, no kept release reads them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from dagster_project.settings import Settings
from dagster_project.spark.store import SparkStore
from dagster_project.warehouse.ledger import Ledger
from dagster_project.warehouse.releases import ABOUT, Release


def test_a_month_that_a_later_release_reads_outlives_the_release_that_wrote_it(tmp_path: Path) -> None:
    store = SparkStore(Settings(home=tmp_path), "load-3", Ledger(tmp_path / "ledger"))
    data = tmp_path / "spark" / "data"
    shared, replaced, own, killed = (
        data / folder / "part-0.parquet"
        for folder in (
            "load_1/fct_sales_line/all-1/partition_month=2017-03",
            "load_1/fct_sales_line/all-1/partition_month=2017-04",
            "load_2/fct_sales_line/part-1/partition_month=2017-04",
            "load_9/fct_sales_line/part-1/_temporary/0",
        )
    )
    for file in (shared, replaced, own, killed):
        file.parent.mkdir(parents=True)
        file.touch()
    kept = Release(
        release="load-2",
        load_date=date(2017, 4, 30),
        published_at="2017-05-01T00:00:00",
        loads=("load-1", "load-2"),
        fingerprints={},
        project="",
        tables={"star.fct_sales_line": 2},
        files={"star.fct_sales_line": [str(shared), str(own)]},
    )
    about = store.releases.folder("load-2") / ABOUT
    about.parent.mkdir(parents=True)
    about.write_text(kept.to_json())

    store.sweep()

    assert sorted(data.rglob("*.parquet")) == [shared, own]
    assert not (data / "load_9").exists()
