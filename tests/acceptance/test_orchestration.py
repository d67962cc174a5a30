"""Dagster: what it is given, and `clientele up` with the runs of the command line, the schedule and the UI."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import PROJECT, Installation
from tests.support.observe import disturb, is_locked, kill_at, ledger, runs, served
from tests.support.small_shop import SmallShop
from tests.support.web_ui import REPOSITORY, WebUi, descendants, wait_for

FEEDS = {
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
    "promotions",
}
CHECKS = "assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } }"
EXECUTIONS = """
query($asset: AssetKeyInput!, $check: String!) {
    assetCheckExecutions(assetKey: $asset, checkName: $check, limit: 20) { runId status }
}
"""
PAGES = f"""
query($job: PipelineSelector!, $repository: RepositorySelector!, $feed: AssetKeyInput!, $fact: AssetKeyInput!) {{
    pipelineOrError(params: $job) {{ ... on Pipeline {{
        runs {{ runId status assetMaterializations {{ assetKey {{ path }} }} }} }} }}
    schedulesOrError(repositorySelector: $repository) {{ ... on Schedules {{
        results {{ name scheduleState {{ status }} }} }} }}
    sensorsOrError(repositorySelector: $repository) {{ ... on Sensors {{
        results {{ name sensorState {{ status }} }} }} }}
    feed: assetNodeOrError(assetKey: $feed) {{ ... on AssetNode {{
        partitionStats {{ numMaterialized numFailed }} {CHECKS} }} }}
    fact: assetNodeOrError(assetKey: $fact) {{ ... on AssetNode {{
        assetMaterializations(limit: 1) {{ runId }} {CHECKS} }} }}
}}
"""
LINES = "select order_id::int from star.fct_sales_line order by 1"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One night loaded by the command line, six days of lines waiting in the source."""
    folder = tmp_path_factory.mktemp("orchestration")
    shop = SmallShop(folder / "home-data")
    shop.set("products", (10, 2, "GROCERY", "National", "MILK", "FLUID MILK", None))
    for day in range(1, 8):
        shop.line(100 + day, 1, 10, f"2017-03-0{day} 15:00:00", 2.00)
    shop.write()
    home = Installation(folder / "home", shop.folder)
    home.load("2017-03-01")
    return home


@pytest.fixture
def home(base: Installation, tmp_path: Path) -> Installation:
    return base.copy(tmp_path / "home")


def described(installation: Installation, **env: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.describe"],
        capture_output=True,
        text=True,
        env=installation.environment() | env,
        cwd=PROJECT,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def given(base: Installation) -> dict[str, Any]:
    return described(base)


def test_every_feed_every_model_and_the_release_are_assets(given: dict[str, Any]) -> None:
    landing = {f"landing/complete_journey/{feed}" for feed in FEEDS}
    models = {
        f"{path.parent.name.removesuffix('s')}/{path.stem}"
        for folder in ("star", "cubes")
        for path in (PROJECT / "dbt" / "models" / folder).glob("*.sql")
    }

    assert {name for name in given["assets"] if name.startswith("landing/")} == landing
    assert models | {"release"} <= set(given["assets"])
    assert {name for name in given["assets"] if name.startswith("ops/")} == {"ops/batch"}
    # the job makes them all (the ledger makes ops itself); feeds and releases by load date
    assert set(given["job"]) == set(given["assets"]) - {"ops/batch"}
    assert set(given["partitioned"]) == landing | {"release", "postgres_store", "report"}
    # dbt reads the feed, the release waits for all models
    staging = "staging/stg_complete_journey__order_lines"
    assert given["parents"][staging] == ["landing/complete_journey/transactions"]
    assert models <= set(given["parents"]["release"])


def test_each_feed_has_its_gate_and_the_star_its_tests_as_checks(given: dict[str, Any]) -> None:
    checks = set(given["checks"])

    gates = {f"landing/complete_journey/{feed}:{name}" for feed in FEEDS for name in ("gate", "freshness", "volume")}
    assert gates <= checks
    assert "cube/sales_grains:reconciliation" in checks
    tested = {check.split(":")[0] for check in checks if check.startswith("star/")}
    stars = {f"star/{path.stem}" for path in (PROJECT / "dbt" / "models" / "star").glob("*.sql")}
    assert tested == stars
    assert given["job_checks"] == len(checks)


def test_the_schedule_is_set_by_the_environment_and_loads_the_day_that_is_over(
    given: dict[str, Any], base: Installation
) -> None:
    # 13 March 2017, 03:00: summer time began the day before
    assert given["schedule"] == {
        "cron": "0 3 * * *",
        "timezone": "America/New_York",
        "running": True,
        "partition": ["2017-03-12"],
        "run_key": ["2017-03-12"],
    }
    other = described(base, CLIENTELE_SCHEDULE="30 22 * * 1-5", CLIENTELE_TIMEZONE="Europe/Berlin")["schedule"]
    assert (other["cron"], other["timezone"]) == ("30 22 * * 1-5", "Europe/Berlin")
    assert given["sensors"] == {"load_failed": True, "killed_loads": True}


@pytest.mark.long
def test_missed_nights_are_caught_up_by_the_next_load(home: Installation) -> None:
    """The schedule asks for the day that is over; each feed takes all since its own watermark, so one run is enough."""
    report = home.load("2017-03-04")

    assert home.sql(LINES) == [(101,), (102,), (103,), (104,)]
    assert {f["feed"]: f["accepted"] for f in report["feeds"]}["complete_journey.transactions"] == 3


def test_a_read_that_fails_once_is_tried_again_and_counted_once(home: Installation) -> None:
    done = disturb("hiccup_once", home, "load", "--date", "2017-03-02")

    assert done.code == 0, done.text
    assert "Stale file handle" in done.err
    assert "trying again" in done.err
    products = [b for b in ledger(home, "batch") if b["feed"] == "products"]
    assert [b["outcome"] for b in products] == ["landed", "nothing new"]


@pytest.mark.long
def test_a_read_that_keeps_failing_fails_its_feed_only(home: Installation) -> None:
    done = disturb("hiccup_for_ever", home, "load", "--date", "2017-03-02", "--json")

    assert (done.code, done.json["status"]) == (1, "partial")
    outcomes = {f["feed"].split(".")[1]: f["outcome"] for f in done.json["feeds"]}
    assert outcomes["products"] == "failed"
    assert outcomes["transactions"] == "landed"
    assert home.sql(LINES) == [(101,), (102,)]
    assert home.sql("select outcome from ops.batch where feed = 'products' order by load_id") == [
        ("landed",),
        ("failed",),
    ]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted."""

    posted: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def posted() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook's address and what it got."""
    messages: list[dict[str, Any]] = []
    handler = type("Own", (Receiver,), {"posted": messages})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", messages
        server.shutdown()


@pytest.fixture(scope="module")
def watched(base: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Three days back-filled in one run, then a load killed in dbt."""
    home = base.copy(tmp_path_factory.mktemp("up") / "home")
    home.load("2017-03-03", "--from", "2017-03-01")
    kill_at("in_dbt", home, "load", "--date", "2017-03-04")
    return home


@pytest.fixture(scope="module")
def ui(
    watched: Installation, posted: tuple[str, list[dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebUi]:
    watched.env["CLIENTELE_WEBHOOK"] = posted[0]
    started = WebUi(watched, tmp_path_factory.mktemp("up") / "log")
    yield started
    if started.process.poll() is None:
        started.stop()


def test_the_ui_shows_what_the_command_line_did(ui: WebUi, watched: Installation) -> None:
    pages = ui.ask(
        PAGES,
        job=REPOSITORY | {"pipelineName": "nightly_load"},
        repository=REPOSITORY,
        feed={"path": ["landing", "complete_journey", "transactions"]},
        fact={"path": ["star", "fct_sales_line"]},
    )

    by_command_line = [run_id for run_id, _ in list(runs(watched).items())[:2]]
    on_job_page = {run["runId"]: run for run in pages["pipelineOrError"]["runs"]}
    for run_id in by_command_line:
        assert on_job_page[run_id]["status"] == "SUCCESS"
        made = {"/".join(event["assetKey"]["path"]) for event in on_job_page[run_id]["assetMaterializations"]}
        assert {"landing/complete_journey/transactions", "star/fct_sales_line", "cube/sales_grains", "release"} <= made
    schedules = {s["name"]: s["scheduleState"]["status"] for s in pages["schedulesOrError"]["results"]}
    assert schedules == {"nightly": "RUNNING", "fit_of_the_month": "RUNNING"}
    sensors = {s["name"]: s["sensorState"]["status"] for s in pages["sensorsOrError"]["results"]}
    assert sensors == {"load_failed": "RUNNING", "killed_loads": "RUNNING"}
    # the backfill of three days was one run and marked them all; the killed load had landed a fourth
    assert pages["feed"]["partitionStats"] == {"numMaterialized": 4, "numFailed": 0}
    gate = {c["name"]: c["executionForLatestMaterialization"] for c in pages["feed"]["assetChecksOrError"]["checks"]}
    assert {name: check and check["status"] for name, check in gate.items()} == dict.fromkeys(
        ("gate", "freshness", "volume"), "SUCCEEDED"
    )
    assert pages["fact"]["assetMaterializations"][0]["runId"] == by_command_line[1]
    for check in pages["fact"]["assetChecksOrError"]["checks"]:
        found = ui.ask(EXECUTIONS, asset={"path": ["star", "fct_sales_line"]}, check=check["name"])
        # Dagster 1.13 plans a check once per partition of the run and evaluates it once: the planned rows stay, skipped
        of_run = {run["status"] for run in found["assetCheckExecutions"] if run["runId"] == by_command_line[1]}
        assert of_run == {"SUCCEEDED", "SKIPPED"}, check["name"]


def test_the_run_of_a_killed_load_is_closed_so_that_the_next_one_does_not_queue_for_ever(
    ui: WebUi, watched: Installation
) -> None:
    killed = list(runs(watched))[2]

    assert wait_for("the sensor", lambda: runs(watched)[killed] == "FAILURE")


def test_a_run_launched_in_the_ui_does_the_same_load(ui: WebUi, watched: Installation) -> None:
    run_id = ui.launch("2017-03-05")

    assert ui.wait_for_end(run_id) == "SUCCESS"
    assert watched.sql(LINES) == [(100 + day,) for day in range(1, 6)]
    assert ledger(watched, "load")[-1]["status"] == "published"
    assert [r["run_id"] for r in ledger(watched, "load") if "run_id" in r][-1] == run_id
    assert not is_locked(watched)
    assert watched.load("2017-03-05")["status"] == "unchanged"


@pytest.mark.long
def test_a_run_terminated_in_the_ui_leaves_no_process_and_no_harm(ui: WebUi, watched: Installation) -> None:
    before, idle = served(watched), descendants(ui.process.pid)
    run_id = ui.launch("2017-03-06")
    wait_for("dbt", lambda: list((watched.home / "build").glob("*/logs")))

    ui.ask("mutation($id: String!) { terminateRun(runId: $id) { __typename } }", id=run_id)

    assert ui.wait_for_end(run_id) in {"CANCELED", "FAILURE"}
    wait_for("the end of its process", lambda: descendants(ui.process.pid) <= idle, 30)
    assert not is_locked(watched)
    assert served(watched) == before
    assert watched.load("2017-03-06")["status"] == "published"
    assert watched.sql(LINES) == [(100 + day,) for day in range(1, 7)]


def test_a_failed_run_is_posted_to_the_webhook_with_its_reason(
    ui: WebUi, posted: tuple[str, list[dict[str, Any]]]
) -> None:
    run_id = ui.launch("2017-03-07", {"as_of": "nonsense"})
    assert ui.wait_for_end(run_id) == "FAILURE"

    message = wait_for("the webhook", lambda: next((m for m in posted[1] if m["run_id"] == run_id), None))

    assert message["load_date"] == "2017-03-07"
    assert message["text"].startswith("Clientele load of 2017-03-07 failed: ")
    assert "there is no load nonsense" in message["text"]


def test_up_stops_on_sigterm_and_takes_everything_with_it(ui: WebUi, watched: Installation) -> None:
    port_taken = watched.run("up", "--port", str(ui.port), check=1)
    assert "clientele up --port PORT" in port_taken.text
    children = descendants(ui.process.pid)
    assert len(children) >= 3

    assert ui.stop() == 0

    wait_for("its processes to end", lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 30)
    assert not is_locked(watched)
