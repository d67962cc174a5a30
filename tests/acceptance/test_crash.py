"""`kill -9` at every stage of a load: what is served stays, and the next load needs no hands."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.support.installation import Installation, assert_same_tables
from tests.support.observe import (
    half_batches,
    is_locked,
    kill_at,
    landed_loads,
    ledger,
    processes_with_open_files,
    release_folders,
    runs,
    served,
)

BEFORE, NIGHT = "2017-02-26", "2017-02-27"

NOT_PUBLISHED = [
    pytest.param("before_the_ledger", marks=pytest.mark.long),
    pytest.param("during_extract", marks=pytest.mark.long),
    pytest.param("in_the_gate", marks=pytest.mark.long),
    pytest.param("between_parquet_and_manifest", marks=pytest.mark.long),
    pytest.param("between_manifest_and_ledger", marks=pytest.mark.long),
    "in_dbt",
    pytest.param("after_dbt_before_publish", marks=pytest.mark.long),
    "before_the_link_is_switched",
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, slice_dir: Path) -> Installation:
    """Loaded up to the day before; since then a household told another income and a product moved."""
    folder = tmp_path_factory.mktemp("crash")
    made = Installation(folder / "slice-only", slice_dir)
    made.home.mkdir()
    installation = made.copy(folder / "base")
    installation.load(BEFORE)
    installation.edit("demographics.parquet", "update t set income = '250K+' where household_id % 2 = 0")
    installation.edit("products.parquet", "update t set department = 'MOVED' where product_id % 97 = 0")
    return installation


@pytest.fixture(scope="module")
def untroubled(base: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = base.copy(tmp_path_factory.mktemp("crash") / "untroubled")
    installation.load(NIGHT)
    return installation


@pytest.fixture
def troubled(base: Installation, tmp_path: Path) -> Installation:
    return base.copy(tmp_path / "troubled")


def assert_free(installation: Installation) -> None:
    assert not is_locked(installation)
    assert processes_with_open_files(installation) == []


def assert_finished_without_hands(installation: Installation, untroubled: Installation) -> None:
    """One more `load`, nothing else, and all is as if nothing had happened."""
    report = installation.load(NIGHT)
    assert report["status"] in {"published", "unchanged"}
    assert_same_tables(installation, untroubled)
    assert half_batches(installation) == []
    assert list((installation.home / "build").iterdir()) == []
    assert release_folders(installation)[-1] == installation.warehouse.resolve().parent.name
    last = dict(list(runs(installation).items())[-2:])
    assert list(last.values()) == ["FAILURE", "SUCCESS"], "the run of the killed load is still open"


@pytest.mark.parametrize("stage", NOT_PUBLISHED)
def test_a_load_killed_before_it_published_leaves_the_release_and_is_finished_by_the_next(
    stage: str, troubled: Installation, untroubled: Installation
) -> None:
    before = served(troubled)

    kill_at(stage, troubled, "load", "--date", NIGHT)

    assert served(troubled) == before
    assert_free(troubled)
    assert_finished_without_hands(troubled, untroubled)
    # every batch of the killed load that counts is accounted for, once
    batches = [(str(b["load_id"]), b["source"], b["feed"]) for b in ledger(troubled, "batch")]
    assert len(batches) == len(set(batches))
    assert set(landed_loads(troubled)) <= {load for load, *_ in batches}
    in_ops = "select count(*) from star.dim_audit where audit_key > 0"
    assert troubled.sql(in_ops) == [(len(batches),)]


@pytest.mark.long
def test_a_load_killed_after_the_switch_has_published(troubled: Installation, untroubled: Installation) -> None:
    before = served(troubled)

    kill_at("after_the_link_is_switched", troubled, "load", "--date", NIGHT)

    assert served(troubled)[0] != before[0]
    assert_same_tables(troubled, untroubled)
    assert_free(troubled)
    published = served(troubled)
    assert_finished_without_hands(troubled, untroubled)
    assert served(troubled) == published, "a finished night was published again"
    release = troubled.warehouse.resolve().parent.name
    closed = [record for record in ledger(troubled, "load") if record["load_id"] == release][-1]
    assert (closed["status"], closed["release"]) == ("published", release)
    assert [r["file_bytes"] for r in ledger(troubled, "release") if r["release"] == release] == [
        troubled.warehouse.resolve().stat().st_size
    ]


@pytest.mark.long
def test_a_load_killed_while_pruning_leaves_no_half_release(troubled: Installation) -> None:
    troubled.env["CLIENTELE_KEEP_RELEASES"] = "1"
    old = release_folders(troubled)

    kill_at("while_pruning", troubled, "load", "--date", NIGHT)

    listed = troubled.run("release", "list", "--json", check=0).json
    assert [item["release"] for item in listed] == [troubled.warehouse.resolve().parent.name]
    assert (troubled.home / "releases" / old[0]).exists()
    assert troubled.load(NIGHT)["status"] == "unchanged"
    assert release_folders(troubled) == [listed[0]["release"]]


def test_a_rollback_killed_before_its_switch_withholds_and_applies_nothing_unasked(untroubled: Installation) -> None:
    before = served(untroubled)

    kill_at("before_the_link_is_switched", untroubled, "release", "rollback")

    assert served(untroubled) == before
    refused = untroubled.run("load", "--date", NIGHT, check=1)
    assert "withheld" in refused.text
    assert "--resume" in refused.text
    untroubled.load(NIGHT, "--resume")
    assert served(untroubled) == before


@pytest.mark.parametrize(
    ("number", "code", "line"), [(signal.SIGINT, 130, "models"), (signal.SIGTERM, 143, "coupons:")]
)
def test_a_load_told_to_stop_stops_at_once_and_says_so(
    number: signal.Signals, code: int, line: str, troubled: Installation, untroubled: Installation
) -> None:
    before = served(troubled)
    load = troubled.start("load", "--date", NIGHT)
    assert load.stderr is not None
    for told in load.stderr:
        if line in told:
            break

    load.send_signal(number)
    asked = time.monotonic()
    said = load.stderr.read()
    load.wait(timeout=60)

    assert load.returncode == code
    assert time.monotonic() - asked < 5
    assert said.strip().splitlines()[-1].startswith("stopped: the served release is unchanged")
    assert "Traceback" not in said
    assert served(troubled) == before
    assert_free(troubled)
    assert_finished_without_hands(troubled, untroubled)
