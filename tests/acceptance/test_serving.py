"""The PostgreSQL store follows the releases: the same rows to the last digit, what changed, or the former state."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pytest
import sqlalchemy
from pydantic import SecretStr

from dagster_project.errors import ConfigurationError
from dagster_project.olap.cube import Cube
from dagster_project.serving.superset.dashboards import FOLDER, dashboard_files
from dagster_project.serving.superset.datasets import Dataset
from dagster_project.serving.superset.metrics import TableMetric
from dagster_project.serving.superset.server import bundle, connections
from dagster_project.serving.tables import Column
from dagster_project.settings import Settings
from tests.support.installation import Installation
from tests.support.postgres import Server
from tests.support.store import PASSWORDS, Store

FIRST, SECOND = "2017-02-28", "2017-03-02"


@pytest.fixture(scope="module")
def shop(
    postgres: Server, slice_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Store, dict[str, object]]:
    """A slice of real data, served by two nights; what the store said after the first."""
    folder = tmp_path_factory.mktemp("serving")
    shutil.copytree(slice_dir, folder / "home-data")
    store = Store.of(postgres, Installation(folder / "home", folder / "home-data"))
    store.home.run("serve", "init", check=0)
    store.home.load(FIRST)
    (sent,) = store.ask("select rows_sent, release from ops.served")
    first = {
        "rows_sent": sent[0],
        "release": sent[1],
        "differing": store.differing(),
        "january": versions(store, "period_start_date < '2017-02-01'"),
        "february": versions(store, "period_start_date >= '2017-02-01'"),
    }
    store.home.load(SECOND)
    return store, first


def versions(store: Store, where: str) -> list[tuple[object, ...]]:
    """Which transactions wrote the grains by month."""
    return store.ask(f"select distinct xmin::text from cube.sales_month_grains where {where} order by 1")


def test_every_table_and_view_is_the_served_files_to_the_last_digit(shop: tuple[Store, dict[str, object]]) -> None:
    store, first = shop
    assert first["differing"] == []
    assert len(store.tables) > 60
    assert store.differing() == []
    assert store.ask("select release from ops.served") == store.home.sql(
        "select release from ops.release order by released_at desc limit 1"
    )


def test_a_night_sends_what_it_changed(shop: tuple[Store, dict[str, object]]) -> None:
    store, first = shop
    assert versions(store, "period_start_date < '2017-02-01'") == first["january"], "no line of January came"
    ((sent, deleted),) = store.ask("select rows_sent, rows_deleted from ops.served")
    assert 0 < deleted <= sent
    assert sent < first["rows_sent"]
    done = store.home.run("serve", "sync", "--json", check=0).json
    assert (done["rows_sent"], done["changed"], done["made_anew"]) == (0, [], [])


def test_both_sides_are_compared(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    found = store.home.run("serve", "status", "--json", check=0).json
    assert found["up_to_date"]
    assert found["served"] == found["store"]
    assert {row["same"] for row in found["tables"]} == {True}


def test_facts_are_sent_where_they_are_wanted_and_taken_away_again(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    wanted = replace(store, home=replace(store.home, env=store.home.env | {"CLIENTELE_PG_FACTS": "fct_sales_line"}))
    assert wanted.home.run("serve", "sync", "--json", check=0).json["made_anew"] == ["star.fct_sales_line"]
    assert {"star.fct_sales_line", "cube.sales_lines"} <= set(wanted.tables)
    assert wanted.differing() == []
    store.home.run("serve", "sync", check=0)
    assert "star.fct_sales_line" not in store.tables
    wrong = replace(store.home, env=store.home.env | {"CLIENTELE_PG_FACTS": "fct_salesline"})
    refused = wrong.run("serve", "sync", check=1)
    assert "CLIENTELE_PG_FACTS names fct_salesline" in refused.err
    assert "fct_sales_line" in refused.err


def test_a_killed_sync_leaves_the_former_state_and_the_next_one_finishes(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    before = store.ask("select * from ops.served")
    with adbc.connect(store.server.dsn(store.database)) as holder, holder.cursor() as cursor:
        # the last table of a sync in the order of names; all before it is sent by then
        cursor.execute("lock table star.dim_time_of_day in access exclusive mode")
        cursor.execute("select 1")
        sync = store.home.start("serve", "sync", "--full")
        until = time.monotonic() + 60
        while not store.ask(
            "select 1 from pg_stat_activity where application_name = 'clientele' and wait_event_type = 'Lock'"
        ):
            assert time.monotonic() < until, "it never waited"
            assert sync.poll() is None, sync.communicate()
            time.sleep(0.05)
        sync.send_signal(signal.SIGKILL)
        sync.wait()
    assert store.ask("select * from ops.served") == before
    assert store.differing() == []
    assert store.home.run("serve", "sync", "--full", "--json", check=0).json["rows_sent"] > 0
    assert store.differing() == []


def test_a_rollback_and_the_way_back_are_followed(shop: tuple[Store, dict[str, object]]) -> None:
    store, first = shop
    (second,) = store.ask("select release from ops.served")
    back = store.home.run("release", "rollback", "--json", check=0).json
    assert store.ask("select release from ops.served") == [(first["release"],)] == [(back["served"],)]
    assert store.differing() == []
    store.home.load(SECOND, "--resume")
    assert store.ask("select release from ops.served") != [second]
    assert store.differing() == []


def test_a_view_of_somebodys_own_is_never_dropped(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    store.server.run(
        "create schema reports; create view reports.stores as select store_key from star.dim_store;"
        " create view reports.months as select period from cube.sales_by_month",
        store.database,
    )
    # facts come and go, with a view of the cube over them; everything is sent again
    wanted = replace(store.home, env=store.home.env | {"CLIENTELE_PG_FACTS": "fct_sales_line"})
    for home in (wanted, store.home):
        home.run("serve", "sync", "--full", check=0)
        assert store.ask("select count(*) > 0 from reports.months") == [(True,)]
    shapes = dict(store.ask("select name, shape from clientele.served_table"))
    for table, view in {"star.dim_store": "reports.stores", "cube.sales_month_grains": "reports.months"}.items():
        store.server.run(f"update clientele.served_table set shape = 'other' where name = '{table}'", store.database)
        refused = store.home.run("serve", "sync", check=1)
        assert f"{view} reads" in refused.err
        assert f"drop {view}" in refused.err
        assert store.ask(f"select count(*) > 0 from {view}") == [(True,)]
        store.server.run(f"drop view {view}", store.database)
        assert store.home.run("serve", "sync", "--json", check=0).json["made_anew"] == [table]
    assert dict(store.ask("select name, shape from clientele.served_table")) == shapes
    assert store.ask_as("analyst", "select count(*) > 0 from cube.sales_by_month") == [(True,)]
    assert store.differing() == []


def test_a_view_that_changed_is_made_anew_without_its_table(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    store.server.run(
        "update clientele.note set told = (select jsonb_agg(case when v->>0 = 'cube.sales_by_year'"
        " then jsonb_set(v, '{1}', '\"select 1\"') else v end order by n)"
        " from jsonb_array_elements(told) with ordinality as t(v, n)) where name = 'views';"
        "drop view cube.sales_by_year; create view cube.sales_by_year as select 1 as wrong",
        store.database,
    )
    assert store.home.run("serve", "sync", "--json", check=0).json["made_anew"] == []
    assert store.differing() == []
    assert store.ask_as("analyst", "select count(*) > 0 from cube.sales_by_year") == [(True,)]


def test_rows_that_went_astray_are_seen_and_sent_again(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    store.server.run("delete from mart.mart_customer_360 where orders_to_date > 0", store.database)
    found = store.home.run("serve", "status", "--json", check=1).json
    assert (found["up_to_date"], found["whole"]) == (True, False)
    assert [row["table"] for row in found["tables"] if not row["same"]] == ["mart.mart_customer_360"]
    store.home.run("serve", "sync", "--full", check=0)
    assert store.home.run("serve", "status", "--json", check=0).json["whole"]


def test_two_syncs_at_once_are_one(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    with adbc.connect(store.server.dsn(store.database)) as holder, holder.cursor() as cursor:
        cursor.execute(f"select pg_advisory_lock({0x434C4945})")
        cursor.fetchall()
        assert "another sync of the store runs" in store.home.run("serve", "sync", check=1).err


# ---- who reads what

FORBIDDEN = {
    "insert into mart.mart_customer_360 default values": "read-only|permission denied",
    "set default_transaction_read_only = off; delete from mart.mart_customer_360": "permission denied",
    "set default_transaction_read_only = off; create table mart.mine (a int)": "permission denied",
    "set default_transaction_read_only = off; create table public.mine (a int)": "permission denied",
    "set default_transaction_read_only = off; create schema mine": "permission denied",
    "select * from clientele.served_table": "permission denied",
    "select * from pg_catalog.pg_authid": "permission denied",
    "select pg_read_file('/etc/passwd')": "permission denied",
    "copy mart.mart_customer_360 to '/tmp/stolen'": "must be superuser",
    "select lo_import('/etc/passwd')": "permission denied|read-only",
    "set role steward": "permission denied",
}


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_an_analyst_reads_and_does_nothing_else(shop: tuple[Store, dict[str, object]], statement: str) -> None:
    store, _ = shop
    assert store.ask_as("analyst", "select count(*) > 0 from mart.mart_customer_360") == [(True,)]
    with pytest.raises(adbc_driver_manager.Error, match=FORBIDDEN[statement]):
        store.ask_as("analyst", *statement.split("; "))


def test_a_role_is_ended_when_it_takes_too_long_and_sees_one_release_a_transaction(
    shop: tuple[Store, dict[str, object]],
) -> None:
    store, _ = shop
    limits = "select current_setting('statement_timeout'), current_setting('transaction_isolation')"
    assert store.ask_as("analyst", limits) == [("1min", "repeatable read")]
    with pytest.raises(adbc_driver_manager.Error, match="statement timeout"):
        store.ask_as("analyst", "set statement_timeout = '100ms'", "select pg_sleep(5)")


def test_a_policys_condition_is_a_row_policy_of_the_database(shop: tuple[Store, dict[str, object]]) -> None:
    from dagster_project.olap.cube import Cube
    from dagster_project.serving import access
    from dagster_project.serving.tables import served_tables

    store, _ = shop
    store_id = store.home.sql("select min(store_id) from star.dim_store where store_key > 0")[0][0]
    where = f"store_id = '{store_id}'"
    manifest = json.loads((store.home.warehouse.resolve().parent / "target" / "manifest.json").read_text())
    with closing(Cube.open(store.home.warehouse)) as cube:
        analyst = replace(cube.dictionary.policies["analyst"], where=f"store.{where}")
        dictionary = replace(cube.dictionary, policies=cube.dictionary.policies | {"analyst": analyst})
        tables = served_tables(cube.connection, manifest, "")
    rules = {table.name: [access.access(table, role, dictionary) for role in PASSWORDS] for table in tables}
    before = {name: store.ask(f"select count(*) from {name}") for name in ("star.dim_store", "star.dim_product")}
    statements = [line for table in tables for line in access.statements(table, rules[table.name])]
    store.server.run("; ".join(statements), store.database)

    assert store.ask_as("analyst", "select count(*) from star.dim_store") == [(1,)]
    assert store.ask_as("analyst", "select count(*) from star.dim_product") == before["star.dim_product"]
    assert store.ask_as("steward", "select count(*) from star.dim_store") == before["star.dim_store"]
    assert store.ask_as("analyst", "select distinct store_id from cube.sales_month_grains") == [(store_id,)]
    assert store.ask_as("analyst", "select count(*) from cube.sales_by_month") == [(0,)], "it mixes all stores"
    for mixed in ("mart.mart_customer_360", "mart.mart_rfm_segment"):
        with pytest.raises(adbc_driver_manager.Error, match="permission denied"):
            store.ask_as("analyst", f"select * from {mixed}")
    days = "select count(*), cast(sum(net_sales) as varchar) from cube.sales_store_days"
    held = f"{days} where store_key in (select store_key from star.dim_store where {where})"
    assert store.ask_as("analyst", days) == store.home.sql(held)
    # the policies of the release come back with the next sync
    store.server.run("delete from clientele.note where name = 'access'", store.database)
    store.home.run("serve", "sync", check=0)
    assert store.ask_as("analyst", "select count(*) from star.dim_store") == before["star.dim_store"]


# ---- real clients


def test_psql_lists_and_describes(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    told = subprocess.run(
        ["psql", store.dsn("analyst"), "-X", "-c", "\\l", "-c", "\\dn", "-c", "\\dt mart.*", "-c", "\\dv cube.*",
         "-c", "\\d+ mart.mart_customer_360"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for part in ("mart_customer_360", "sales_by_month", "PRIMARY KEY", "numeric(19,4)", "The person over all systems"):
        assert part in told


@pytest.mark.parametrize("binary", [False, True])
def test_psycopg_reads_text_and_binary(shop: tuple[Store, dict[str, object]], binary: bool) -> None:
    store, _ = shop
    query = (
        "select first_order_date, net_sales_to_date, last_order_date - first_order_date, p_alive"
        " from mart.mart_customer_360 where orders_to_date > 0 order by mastered_customer_key"
    )
    with psycopg.connect(store.dsn("analyst")) as connection, connection.cursor(binary=binary) as cursor:
        found = cursor.execute(query).fetchall()
        (gap,) = cursor.execute("select age(timestamp '2017-03-02', timestamp '2017-02-28')").fetchone() or (None,)
    assert found == store.home.sql(
        query.replace("last_order_date - first_order_date", "(last_order_date - first_order_date)::int")
    )
    assert gap is not None


def test_sqlalchemy_reflects_tables_keys_and_words(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    engine = sqlalchemy.create_engine(store.dsn("analyst").replace("postgresql://", "postgresql+psycopg://"))
    inspector = sqlalchemy.inspect(engine)
    assert {"star", "mart", "cube", "ops"} <= set(inspector.get_schema_names())
    assert inspector.get_pk_constraint("mart_customer_360", "mart")["constrained_columns"] == ["mastered_customer_key"]
    assert "sales_by_month" in inspector.get_view_names("cube")
    columns = {column["name"]: column for column in inspector.get_columns("mart_customer_360", "mart")}
    assert columns["mastered_customer_key"]["comment"].startswith("The person over all systems")
    assert str(columns["net_sales_to_date"]["type"]) == "NUMERIC(19, 4)"
    engine.dispose()


# ---- what Superset is given (started and looked at in test_superset.py)


@pytest.fixture(scope="module")
def given(shop: tuple[Store, dict[str, object]]) -> dict[str, dict[str, Any]]:
    """Superset's files for this store."""
    store, _ = shop
    of_home = Settings(home=store.home.home, pg_dsn=SecretStr(store.home.env["CLIENTELE_PG_DSN"]))
    return bundle(of_home)


def test_each_saved_metric_is_the_same_in_the_store_and_in_the_file(
    shop: tuple[Store, dict[str, object]], given: dict[str, dict[str, Any]]
) -> None:
    store, _ = shop
    compared = 0
    for name, dataset in given.items():
        if not name.startswith("datasets/store/"):
            continue
        table = f"{dataset['schema']}.{dataset['table_name']}"
        beside = given[name.replace("/store/", "/file/")]
        names = [metric["metric_name"] for metric in dataset["metrics"]]
        assert names == [metric["metric_name"] for metric in beside["metrics"]]
        (ours,) = store.home.sql(f"select {', '.join(one['expression'] for one in beside['metrics'])} from {table}")
        (theirs,) = store.ask_as(
            "analyst", f"select {', '.join(one['expression'] for one in dataset['metrics'])} from {table}"
        )
        for metric, one, other in zip(names, ours, theirs, strict=True):
            if one is None or other is None:
                assert one == other, (table, metric)
            else:
                assert float(other) == pytest.approx(float(one), rel=1e-9), (table, metric)
        compared += len(names)
    assert compared > 150


def test_saved_metrics_over_the_fact_are_the_cubes(
    shop: tuple[Store, dict[str, object]], given: dict[str, dict[str, Any]]
) -> None:
    """Of another way to compute them: the cube answers from its rollups."""
    store, _ = shop
    metrics = [one for one in given["datasets/file/cube.sales_lines.yaml"]["metrics"] if one["metric_name"] != "rows"]
    assert {"net_sales", "orders", "buyers", "average_order_value", "discount_rate"} <= {
        one["metric_name"] for one in metrics
    }
    (found,) = store.home.sql(f"select {', '.join(one['expression'] for one in metrics)} from cube.sales_lines")
    with closing(Cube.open(store.home.warehouse, role="")) as cube:
        (answer,) = cube.query(", ".join(one["metric_name"] for one in metrics)).arrow().to_pylist()
    for metric, value in zip(metrics, found, strict=True):
        assert value == answer[metric["metric_name"]], metric["metric_name"]


def test_a_metric_is_saved_only_where_rows_may_be_summed(given: dict[str, dict[str, Any]]) -> None:
    def saved(table: str) -> set[str]:
        return {one["metric_name"] for one in given[f"datasets/file/{table}.yaml"]["metrics"]}

    assert "net_sales" in saved("cube.sales_by_month")
    assert "buyers" not in saved("cube.sales_by_month"), "who bought in two months is one buyer"
    assert "buyers" in saved("cube.sales_orders"), "which lists who bought"
    assert saved("mart.fct_customer_month") == {"rows"}, "a snapshot: of a period its last day counts"


@pytest.mark.parametrize(
    ("told", "instead", "message"),
    [
        (
            "metric: net_sales",
            "metric: nett_sales",
            "overview.yml: chart 'Net sales': cube.sales_total has no nett_sales",
        ),
        (
            "dataset: cube.sales_total",
            "dataset: cube.sales_totals",
            "shows cube.sales_totals, which the store does not",
        ),
        ("sql: max(orders)", "sql: round(orders, 2)", "is no metric"),
        ("filters: []", "filters: [cube.sales_by_month.weather]", "there is no column cube.sales_by_month.weather"),
    ],
)
def test_a_dashboard_that_names_what_is_not_there_is_refused(
    given: dict[str, dict[str, Any]], shop: tuple[Store, dict[str, object]], tmp_path: Path,
    told: str, instead: str, message: str,
) -> None:  # fmt: skip
    store, _ = shop
    text = (FOLDER / "overview.yml").read_text()
    assert told in text
    (tmp_path / "overview.yml").write_text(text.replace(told, instead))
    way, _ = connections(Settings(home=store.home.home, pg_dsn=SecretStr(store.home.env["CLIENTELE_PG_DSN"])))
    known = {
        f"{one['schema']}.{one['table_name']}": Dataset(
            way, f"{one['schema']}.{one['table_name']}", "",
            tuple(Column(column["column_name"], "", "") for column in one["columns"]),
            tuple(TableMetric(metric["metric_name"], "", "", "", "") for metric in one["metrics"]), None,
        )
        for name, one in given.items()
        if name.startswith("datasets/store/")
    }  # fmt: skip
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        dashboard_files(known, tmp_path)


# ---- what goes wrong


def test_what_is_missing_is_said(shop: tuple[Store, dict[str, object]]) -> None:
    store, _ = shop
    nowhere = replace(store.home, env={**store.home.env, "CLIENTELE_PG_DSN": ""})
    assert "CLIENTELE_PG_DSN is not set" in nowhere.run("serve", "sync", check=1).err
    wrong = replace(
        store.home, env={**store.home.env, "CLIENTELE_PG_DSN": "postgresql://postgres:secret@127.0.0.1:1/x"}
    )
    told = wrong.run("serve", "sync", check=1).text
    assert "127.0.0.1:1/x" in told
    assert "secret" not in told
    unnamed = replace(store.home, env={**store.home.env, "CLIENTELE_PG_ANALYST_PASSWORD": ""})
    assert "set CLIENTELE_PG_ANALYST_PASSWORD" in unnamed.run("serve", "init", check=1).err
