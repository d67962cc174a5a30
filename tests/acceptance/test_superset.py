"""Apache Superset as a user has it: started, asked through its REST API, looked at in a browser."""

from __future__ import annotations

import datetime
import json
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml

from dagster_project.olap.cube import Cube
from dagster_project.serving.superset.server import ENVIRONMENT
from tests.support.browser import browser, needs_chromium
from tests.support.installation import PROJECT, Installation
from tests.support.postgres import Server
from tests.support.store import Store
from tests.support.web_ui import free_port, wait_for

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not ENVIRONMENT.exists(), reason="there is no Superset: run make superset-install"),
]

PASSWORD = "s3cret"
FILES = sorted((PROJECT / "dagster_project/serving/superset/dashboards").glob("*.yml"))
SCHEMAS = ("mart", "cube", "ops")
# Superset counts its users by a picture on another host, which our policy blocks
PIXEL = "https://apachesuperset.gateway.scarf.sh/"
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass
class Superset:
    """One that runs, and who asks it."""

    store: Store
    port: int
    process: subprocess.Popen[str]
    token: str = ""
    csrf: str = ""
    session: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Referer": self.url}
        if self.token:
            headers |= {"Authorization": f"Bearer {self.token}", "X-CSRFToken": self.csrf}
        data = None if body is None else json.dumps(body).encode()
        with self.session.open(urllib.request.Request(self.url + path, data, headers)) as answer:
            return json.load(answer)

    def login(self, password: str) -> None:
        told = {"username": "admin", "password": password, "provider": "db"}
        self.token = self.ask("/api/v1/security/login", told)["access_token"]
        self.csrf = self.ask("/api/v1/security/csrf_token/")["result"]

    def all_of(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while page := self.ask(f"/api/v1/{kind}/?q=(page:{len(found) // 100},page_size:100)")["result"]:
            found += page
            if len(page) < 100:
                break
        return found

    def rows(self, dataset: int, query: dict[str, Any]) -> list[dict[str, Any]]:
        asked = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [query],
            "result_format": "json",
            "result_type": "full",
        }
        found: list[dict[str, Any]] = self.ask("/api/v1/chart/data", asked)["result"][0]["data"]
        return found


@pytest.fixture(scope="module")
def superset(slice_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    folder = tmp_path_factory.mktemp("superset")
    shutil.copytree(slice_dir, folder / "home-data")
    server = Server()
    store = Store.of(server, Installation(folder / "home", folder / "home-data"), CLIENTELE_SUPERSET_PASSWORD=PASSWORD)
    try:
        store.home.run("serve", "init", check=0)
        store.home.load("2017-03-31")
        port = free_port()
        process = store.home.start("superset", "--port", str(port))
        running = Superset(store, port, process)

        def answers() -> bool:
            assert process.poll() is None, process.communicate()
            try:
                with urllib.request.urlopen(f"{running.url}/health") as answer:
                    return bool(answer.status == 200)
            except OSError:
                return False

        wait_for("Superset", answers, 300)
        running.login(PASSWORD)
        yield running
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        server.stop()


def in_warehouse(superset: Superset, query: str) -> list[tuple[Any, ...]]:
    return superset.store.home.sql(query)


def test_both_ways_to_the_warehouse_show_its_tables_and_columns(superset: Superset) -> None:
    ways = {database["database_name"]: database["id"] for database in superset.all_of("database")}
    assert sorted(ways) == ["Clientele", "Clientele (DuckDB file)"]
    for schema in SCHEMAS:
        listed = superset.ask(f"/api/v1/database/{ways['Clientele']}/tables/?q=(schema_name:{schema})")["result"]
        expected = [name for name in superset.store.tables if name.startswith(f"{schema}.")]
        # `ops.served` is the store's own
        assert {f"{schema}.{one['value']}" for one in listed} - {"ops.served"} == set(expected)
    for dataset in superset.all_of("dataset"):
        about = superset.ask(f"/api/v1/dataset/{dataset['id']}")["result"]
        name = f"{dataset['schema']}.{dataset['table_name']}"
        expected = [column for (column, *_) in in_warehouse(superset, f"describe {name}")]
        assert sorted(column["column_name"] for column in about["columns"]) == sorted(expected), name


def test_datasets_carry_the_words_of_the_warehouse(superset: Superset) -> None:
    datasets = {(one["schema"], one["table_name"]): one for one in superset.all_of("dataset")}
    about = superset.ask(f"/api/v1/dataset/{datasets['cube', 'sales_by_month']['id']}")["result"]
    assert about["description"]
    assert about["main_dttm_col"] == "period_start_date"
    told = dict(in_warehouse(superset, "select name, description from cube.catalog where kind = 'metric'"))
    described = {metric["metric_name"]: metric["description"] for metric in about["metrics"]}
    assert described["net_sales"] == told["net_sales"]
    assert described["discount_rate"] == told["discount_rate"]
    assert "orders" not in described, "orders of a month can't be summed"
    without = [
        name
        for (schema, name), one in datasets.items()
        if schema in {"mart", "cube"} and not superset.ask(f"/api/v1/dataset/{one['id']}")["result"]["description"]
    ]
    assert without == []


def test_every_metric_of_every_dataset_is_the_warehouses(superset: Superset) -> None:
    asked = 0
    for dataset in superset.all_of("dataset"):
        metrics = superset.ask(f"/api/v1/dataset/{dataset['id']}")["result"]["metrics"]
        names = [metric["metric_name"] for metric in metrics]
        (told,) = superset.rows(dataset["id"], {"metrics": names, "columns": [], "row_limit": 10})
        listed = ", ".join(f'{in_duckdb(metric["expression"])} as "{metric["metric_name"]}"' for metric in metrics)
        expected = in_warehouse(superset, f"select {listed} from {dataset['schema']}.{dataset['table_name']}")
        assert [plain(told[name]) for name in names] == near(expected[0]), dataset["table_name"]
        asked += len(names)
    assert asked > 200


def test_metrics_over_the_cubes_tables_equal_the_cubes_answer(superset: Superset) -> None:
    """What a metric is in total, whichever table it is taken over."""
    compared = 0
    with closing(Cube.open(superset.store.home.warehouse, role="")) as cube:
        for dataset in superset.all_of("dataset"):
            if dataset["table_name"] not in {"sales_by_month", "sales_store_days", "sales_lines", "sales_orders"}:
                continue
            metrics = superset.ask(f"/api/v1/dataset/{dataset['id']}")["result"]["metrics"]
            names = [metric["metric_name"] for metric in metrics if metric["metric_name"] != "rows"]
            (told,) = superset.rows(dataset["id"], {"metrics": names, "columns": [], "row_limit": 10})
            (answer,) = cube.query(", ".join(names)).arrow().to_pylist()
            assert [plain(told[name]) for name in names] == near(answer.values()), dataset["table_name"]
            compared += len(names)
    assert compared > 40


@needs_chromium
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dashboard_shows_its_charts_without_an_error(superset: Superset, file: Path, tmp_path: Path) -> None:
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    charts = {chart["title"] for row in told["rows"] for chart in row["charts"]}
    with browser(1400, 2400) as page:
        login(page, superset)
        page.open(f"{superset.url}/superset/dashboard/{file.stem}/")
        page.wait_for("[data-test='slice-header']")
        wait_for("all charts", lambda: len(page.find("[data-test='slice-header']")) == len(charts))
        wait_for("no chart that loads", lambda: not page.find(".loading, [data-test='loading-indicator']"))
        shown = {one.text.splitlines()[0] for one in page.find("[data-test='slice-header']")}
        page.picture(tmp_path / f"{file.stem}.png")
        requests, errors = page.requests(), page.errors()
        wrong = [one.text for one in page.find(".ant-alert-error, [data-test='error-message']")]
        text = page.driver.find_element("tag name", "body").text
    assert shown == charts
    assert wrong == []
    assert [error for error in errors if PIXEL not in error] == []
    left = [one for one in requests if not one.url.startswith(superset.url)]
    assert all(one.url.startswith(PIXEL) and one.blocked == "csp" for one in left), "nothing leaves the machine"
    asked = [one for one in requests if "/api/v1/chart/data" in one.url and one.body and "queries" in one.body]
    slices = {json.loads(one.body)["form_data"].get("slice_id") for one in asked} - {None}
    assert len(slices) == len(charts)
    assert {one.status for one in asked} == {200}
    for one in asked:
        assert_as_the_warehouse(superset, json.loads(one.body))
    if file.stem == "overview":
        ((sales,),) = in_warehouse(superset, "select net_sales from cube.sales_total")
        assert f"{sales:,.0f}" in text


def assert_as_the_warehouse(superset: Superset, asked: dict[str, Any]) -> None:
    """Each chart's rows, before the browser turns them, are what its SQL finds in the served file."""
    for query in asked["queries"]:
        plain_query = query | {"post_processing": []}
        (answer,) = superset.ask("/api/v1/chart/data", asked | {"queries": [plain_query]})["result"]
        statement = in_duckdb(answer["query"])
        with duckdb.connect(str(superset.store.home.warehouse.resolve()), read_only=True) as con:
            rows = con.execute(statement).fetchall()
            names = [column[0] for column in con.description]
        found = sorted([[plain(row[name]) for name in names] for row in answer["data"]], key=repr)
        assert len(found) == len(rows), statement
        for one, expected in zip(found, sorted([near(row) for row in rows], key=repr_of), strict=True):
            assert one == expected, statement


def test_who_does_not_know_the_password_sees_nothing(superset: Superset) -> None:
    other = Superset(superset.store, superset.port, superset.process)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        other.login("guessed")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        other.ask("/api/v1/dataset/")


def test_what_a_user_made_stays_when_dashboards_are_brought_in_again(superset: Superset) -> None:
    made = superset.ask("/api/v1/dashboard/", {"dashboard_title": "My own"})["id"]
    before = {(one["id"], one["slug"]) for one in superset.all_of("dashboard")}
    superset.store.home.run("superset", "--prepare-only", check=0)
    after = {(one["id"], one["slug"]) for one in superset.all_of("dashboard")}
    assert after == before
    assert made in {number for number, _ in after}


def login(page: Any, superset: Superset) -> None:
    page.open(f"{superset.url}/login/")
    page.wait_for("#username")[0].send_keys("admin")
    page.find("#password")[0].send_keys(PASSWORD)
    page.find("button[type=submit]")[0].click()
    wait_for("the login", lambda: "/login" not in page.driver.current_url)


def in_duckdb(sql: str) -> str:
    return sqlglot.transpile(sql.rstrip().rstrip(";"), read="postgres", write="duckdb")[0]


def plain(value: Any) -> Any:
    """A value of JSON: days are told in milliseconds, or as text."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def near(row: Any) -> list[Any]:
    """A row of the warehouse as JSON would tell it; numbers within a rounding of doubles."""
    return [_near(value) for value in row]


def _near(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return (value.replace(tzinfo=datetime.UTC) - EPOCH).total_seconds() * 1000
    if isinstance(value, datetime.date):
        return float((value - EPOCH.date()).days * 86_400_000)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return pytest.approx(float(value), rel=1e-9, abs=1e-9)
    return value


def repr_of(row: list[Any]) -> str:
    return repr([value.expected if hasattr(value, "expected") else value for value in row])
