"""The command line as operators and scripts meet it: help, JSON, exit codes, errors without tracebacks."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.small_shop import SmallShop

COMMANDS = [
    "load", "status", "catalog", "sql", "up", "doctor",
    "quarantine list", "quarantine show", "quarantine replay", "quarantine discard",
    "release list", "release rollback", "release prune",
    "landing list", "landing recount", "source list", "source check", "source accept",
]  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Nothing was loaded yet; the source's files are there."""
    folder = tmp_path_factory.mktemp("command_line")
    shop = SmallShop(folder / "data")
    shop.line(100, 1, 10, "2017-03-01 15:00:00", 2.00)
    shop.write()
    return Installation(folder / "home", shop.folder)


@pytest.fixture(scope="module")
def loaded(empty: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = empty.copy(tmp_path_factory.mktemp("loaded") / "home") if empty.home.exists() else None
    made = home or Installation(tmp_path_factory.mktemp("loaded") / "home", empty.data)
    made.load("2017-03-01")
    return made


def test_a_load_that_nobody_reads_stops_when_told_to_and_else_finishes(empty: Installation, tmp_path: Path) -> None:
    """As behind `| head`, or in a terminal that was closed: it had hung in dbt, with its lock."""
    home = Installation(tmp_path / "home", empty.data)

    def unread() -> subprocess.Popen[str]:
        started = home.start("load", "--date", "2017-03-01")
        assert started.stderr
        assert any("dbt:" in line for line in started.stderr)
        started.stderr.close()
        return started

    stopped = unread()
    stopped.terminate()
    assert stopped.wait(timeout=60) == 128 + signal.SIGTERM
    assert not home.warehouse.exists()

    finished = unread()
    assert finished.stdout
    assert "Published release" in finished.stdout.read()
    assert finished.wait(timeout=60) == 0
    assert home.sql("select count(*) from star.fct_sales_line") == [(1,)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, empty: Installation) -> None:
    told = empty.run(*command.split(), "--help", check=0)
    assert "Usage:" in told.out
    assert len(told.out.splitlines()) > 5


@pytest.mark.parametrize(
    "arguments",
    [
        ["load", "--date", "tomorrow"],
        ["load", "--date", "2999-01-01"],
        ["load", "--date", "2017-03-01", "--from", "2017-03-02"],
        ["load", "--nights", "3"],
        ["quarantine", "show", "transactions"],
        ["quarantine", "replay", "complete_journey.transactions", "--row", "3"],
        ["release", "prune", "--keep", "0"],
        ["nothing"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(arguments: list[str], empty: Installation) -> None:
    told = empty.run(*arguments, check=2)
    assert "Traceback" not in told.text
    assert told.err.strip()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["sql", "select 1"], "nothing was published yet"),
        (["release", "rollback"], "nothing was published yet"),
        (["up", "--host", "0.0.0.0"], "has no password"),
        (["status", "20170101T000000000000Z-0000"], "there is no load"),
        (["source", "accept", "complete_journey.nothing"], "there is no feed"),
        (["load", "--date", "2017-03-01", "--as-of", "20170101T000000000000Z-0000"], "there is no load"),
        (["load", "--date", "2017-03-01", "--skip", "20170101T000000000000Z-0000"], "is not withheld"),
    ],
)
def test_what_cannot_be_done_exits_with_1_a_reason_and_a_remedy(
    arguments: list[str], named: str, empty: Installation
) -> None:
    told = empty.run(*arguments, check=1)
    assert named in told.err
    assert "->" in told.err
    assert "Traceback" not in told.text
    if arguments[0] == "up":
        return
    as_json = empty.run(*arguments, "--json", check=1)
    assert named in as_json.json["error"]
    assert as_json.json["remedy"]


def test_a_wrong_setting_is_named(empty: Installation) -> None:
    wrong = Installation(empty.home, empty.data, {"CLIENTELE_THREADS": "many"})
    told = wrong.run("status", check=1)
    assert "CLIENTELE_THREADS='many'" in told.err
    unknown = Installation(empty.home, empty.data, {"CLIENTELE_SOURCES": "complete_journy"})
    assert "complete_journey" in unknown.run("source", "list", check=1).err


def test_a_broken_source_file_is_told_by_file_key_and_expectation(empty: Installation, tmp_path: Path) -> None:
    broken = tmp_path / "sources" / "complete_journey"
    broken.mkdir(parents=True)
    (broken / "source.yml").write_text("name: complete_journey\nkind: files\nroot: .\ntimezone: Mars\nfeeds: {}\n")
    told = Installation(empty.home, empty.data, {"CLIENTELE_SOURCES_DIR": str(broken.parent)}).run(
        "source", "list", check=1
    )
    assert "source.yml: timezone: 'Mars' is no time zone" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["doctor"],
        ["quarantine", "list"],
        ["release", "list"],
        ["landing", "list"],
        ["landing", "recount"],
        ["source", "list"],
        ["source", "check"],
        ["sql", "select count(*) as lines from star.fct_sales_line"],
    ],
)
def test_every_looking_command_answers_in_json(arguments: list[str], loaded: Installation) -> None:
    assert isinstance(json.loads(loaded.run(*arguments, "--json", check=0).out), list | dict)


def test_status_shows_the_load_the_feeds_and_what_is_served(loaded: Installation) -> None:
    report = loaded.run("status", "--json", check=0).json
    assert report["served"]["load_date"] == "2017-03-01"
    assert [load["status"] for load in report["loads"]] == ["published"]
    newest = {feed["feed"]: feed["newest"] for feed in report["feeds"]}
    assert newest["complete_journey.transactions"] == "2017-03-01"


@pytest.mark.parametrize(
    "query",
    [
        "create table star.mine (a int)",
        "delete from star.fct_sales_line",
        "select * from read_text('/etc/hostname')",
        "copy star.dim_store to '/tmp/clientele-should-not-exist.csv'",
        "attach '/tmp/clientele-should-not-exist.duckdb' as other",
        "set enable_external_access = true",
    ],
)
def test_sql_neither_writes_nor_reaches_files(query: str, loaded: Installation) -> None:
    told = loaded.run("sql", query, check=1)
    assert "Traceback" not in told.text
    assert not list(Path("/tmp").glob("clientele-should-not-exist*"))


def test_sql_prints_csv_for_scripts(loaded: Installation) -> None:
    told = loaded.run("sql", "--csv", "select order_id, net_amount from star.fct_sales_line", check=0)
    assert told.out.split() == ["order_id,net_amount", "100,2.0000"]
