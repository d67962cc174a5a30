"""Clients that stay connected while the store changes under them, and one that speaks JDBC."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tests.support.installation import Installation
from tests.support.postgres import Server
from tests.support.spark import needs_spark
from tests.support.store import PASSWORDS, Store

pytestmark = pytest.mark.long

CLIENTS, LOADS = 20, 10
PAUSE = 0.25  # seconds a client looks at what it was told; without, twenty keep both cores from the loads
FIRST = date(2017, 2, 20)
DRIVER = Path("/usr/share/java/postgresql.jar")


@pytest.fixture(scope="module")
def store(slice_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("clients")
    shutil.copytree(slice_dir, folder / "home-data")
    server = Server()
    store = Store.of(server, Installation(folder / "home", folder / "home-data"))
    store.home.run("serve", "init", check=0)
    store.home.load(FIRST.isoformat())
    return store


@dataclass
class Client(threading.Thread):
    """Asks the same things again and again, a transaction each, until it is told to stop."""

    dsn: str
    stop: threading.Event
    seen: list[tuple[str, Decimal]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        super().__init__()

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn) as connection:
                while not self.stop.is_set():
                    began = time.perf_counter()
                    with connection.transaction():
                        self.seen.append(self.ask(connection))
                    self.seconds.append(time.perf_counter() - began)
                    self.stop.wait(PAUSE)
        except (psycopg.Error, AssertionError) as error:
            self.error = error

    @staticmethod
    def ask(connection: psycopg.Connection) -> tuple[str, Decimal]:
        """One release and its sales, which its total, its months and its customers agree on."""

        def one(query: str) -> object:
            row = connection.execute(query).fetchone()
            assert row is not None
            return row[0]

        release = one("select release from ops.served")
        total = one("select net_sales from cube.sales_total")
        for query in (
            "select sum(net_sales) from cube.sales_by_month",
            "select sum(net_sales) from cube.sales_store_days",
            "select sum(net_sales_to_date) from mart.mart_customer_360",
        ):
            assert one(query) == total, query
        assert one("select release from ops.served") == release
        assert isinstance(total, Decimal)
        return str(release), total


def test_twenty_clients_see_one_release_each_while_ten_loads_publish(store: Store) -> None:
    stop = threading.Event()
    clients = [Client(store.dsn("analyst"), stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    published = {}
    try:
        for night in range(1, LOADS + 1):
            release = store.home.load((FIRST + timedelta(days=night)).isoformat())["release"]
            published[release] = store.home.sql("select net_sales from cube.sales_total")[0][0]
    finally:
        stop.set()
        for client in clients:
            client.join(60)
    assert [client.error for client in clients if client.error] == []
    seen = {told for client in clients for told in client.seen}
    assert len(published) == LOADS
    assert set(published.items()) <= seen, "each release was seen, with its sales"
    assert len(seen) <= LOADS + 1, "and nothing between two"
    seconds = sorted(second for client in clients for second in client.seconds)
    print(f"{len(seconds):,} transactions, median {statistics.median(seconds):.3f} s, slowest {seconds[-1]:.2f} s")
    assert store.differing() == []


@needs_spark
def test_the_jdbc_driver_reads_tables_exactly(store: Store) -> None:
    if not DRIVER.exists():
        pytest.skip("there is no JDBC driver: apt-get install libpostgresql-jdbc-java")
    from pyspark.sql import SparkSession

    url = f"jdbc:postgresql://127.0.0.1:{store.server.port}/{store.database}"
    with (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.extraClassPath", str(DRIVER))
        .getOrCreate() as spark
    ):
        rows = (
            spark.read.format("jdbc")
            .options(url=url, driver="org.postgresql.Driver", dbtable="mart.mart_customer_360")
            .options(user="analyst", password=PASSWORDS["analyst"])
            .load()
        )
        kinds = dict(rows.dtypes)
        found = rows.where("orders_to_date > 0").selectExpr("sum(net_sales_to_date)", "min(first_order_date)").first()
    assert (kinds["net_sales_to_date"], kinds["first_order_date"], kinds["mastered_customer_key"]) == (
        "decimal(19,4)",
        "date",
        "bigint",
    )
    assert [tuple(found or ())] == store.home.sql(
        "select sum(net_sales_to_date), min(first_order_date) from mart.mart_customer_360 where orders_to_date > 0"
    )
