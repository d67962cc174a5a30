"""Releases: listed, rolled back, withheld, pruned, proven; rebuilt where a model changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import PROJECT, Installation, assert_same_tables
from tests.support.observe import disturb, landed_loads, ledger, release_folders, served
from tests.support.small_shop import SmallShop

LINES = "select order_id::int, net_amount::varchar from star.fct_sales_line order by 1"
AFTER_FIRST = [(100, "2.0000"), (101, "3.0000")]
AFTER_SECOND = [*AFTER_FIRST, (102, "5.0000")]
AFTER_THIRD = [*AFTER_SECOND, (103, "7.0000")]


def household(number: int) -> tuple[object, ...]:
    return (number, "25-34", "35-49K", None, None, "1", "1 Adult No Kids", "0")


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Three releases; the second night brought a line of its own, a household and, two weeks early, a backfill."""
    folder = tmp_path_factory.mktemp("releases")
    shop = SmallShop(folder / "home-data")
    home = Installation(folder / "home", shop.folder)
    shop.set("demographics", household(1))
    shop.set("products", (10, 2, "GROCERY", "National", "MILK", "FLUID MILK", None))
    shop.line(100, 1, 10, "2017-03-01 15:00:00", 2.00)
    shop.line(101, 3, 10, "2017-03-01 16:00:00", 3.00)
    shop.write()
    home.load("2017-03-01")
    shop.set("demographics", household(2))
    shop.line(102, 1, 10, "2017-03-02 15:00:00", 5.00)
    shop.write()
    home.load("2017-03-02")
    shop.line(103, 2, 10, "2017-03-20 15:00:00", 7.00)
    shop.write()
    home.load("2017-03-20")
    return home


@pytest.fixture
def home(three_nights: Installation, tmp_path: Path) -> Installation:
    return three_nights.copy(tmp_path / "home")


def listed(home: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.run("release", "list", "--json", check=0).json
    return found


def test_releases_are_listed_with_the_served_one_marked(three_nights: Installation) -> None:
    releases = listed(three_nights)

    assert [item["load_date"] for item in releases] == ["2017-03-01", "2017-03-02", "2017-03-20"]
    assert [item["served"] for item in releases] == [False, False, True]
    assert three_nights.warehouse.resolve().parent.name == releases[-1]["release"]
    assert three_nights.sql(LINES) == AFTER_THIRD


def test_a_rollback_serves_the_release_before_and_withholds_what_came_after(home: Installation) -> None:
    first, second, third = (item["release"] for item in listed(home))

    told = home.run("release", "rollback", "--json", check=0).json

    assert told == {"served": second, "withheld": [third]}
    assert home.sql(LINES) == AFTER_SECOND
    status = home.run("status", "--json").json
    assert (status["served"]["release"], status["withheld"]) == (second, [third])
    assert home.run("doctor", check=1).text.count("FAIL") == 1
    refused = home.run("load", "--date", "2017-03-20", check=1)
    assert third in refused.text
    assert "--resume" in refused.text
    assert "--skip LOAD" in refused.text
    assert "Traceback" not in refused.text
    assert home.sql(LINES) == AFTER_SECOND
    # two steps back withhold both
    assert home.run("release", "rollback", "--json", check=0).json == {"served": first, "withheld": [second, third]}
    assert home.sql(LINES) == AFTER_FIRST
    # and forward again nothing
    assert home.run("release", "rollback", third, "--json", check=0).json == {"served": third, "withheld": []}
    assert home.load("2017-03-20")["status"] == "unchanged"


@pytest.mark.long
def test_resumed_loads_are_applied_again_without_reading_them_anew(
    home: Installation, three_nights: Installation
) -> None:
    first = listed(home)[0]["release"]
    home.run("release", "rollback", first, check=0)
    landed = landed_loads(home)

    report = home.load("2017-03-20", "--resume")

    assert report["status"] == "published"
    assert landed_loads(home) == landed
    assert_same_tables(home, three_nights)
    assert home.run("status", "--json", check=0).json["withheld"] == []


@pytest.mark.long
def test_a_skipped_load_is_left_out_for_good_and_its_rows_are_read_again(
    home: Installation, three_nights: Installation
) -> None:
    first, second, third = (item["release"] for item in listed(home))
    home.run("release", "rollback", first, check=0)
    assert third in home.run("load", "--date", "2017-03-20", "--skip", second, check=1).text

    report = home.load("2017-03-20", "--skip", second, "--resume")

    accepted = {feed["feed"].split(".")[1]: feed["accepted"] for feed in report["feeds"]}
    assert (accepted["transactions"], accepted["demographics"]) == (1, 1)
    assert home.sql(LINES) == AFTER_THIRD
    # the household was seen again, later: its line of the first night has it, inferred then, known now
    assert home.sql("select count(*) from star.fct_sales_line where customer_key < 0") == [(0,)]
    in_facts = "select distinct load_id from star.fct_sales_line join star.dim_audit using (audit_key) order by 1"
    assert home.sql(in_facts) == [(first,), (third,), (report["load_id"],)]
    assert home.run("status", "--json", check=0).json["skipped"] == [second]
    assert home.load("2017-03-20")["status"] == "unchanged"
    assert home.load("2017-03-20", "--rebuild")["status"] == "published"
    assert home.sql(LINES) == AFTER_THIRD


@pytest.mark.long
def test_a_release_with_rows_of_a_skipped_load_is_not_grown_on(home: Installation) -> None:
    _, second, third = (item["release"] for item in listed(home))
    home.run("release", "rollback", second, check=0)
    home.load("2017-03-20", "--skip", third)
    home.run("release", "rollback", third, check=0)

    home.load("2017-03-20", "--resume")

    assert home.sql(LINES) == AFTER_THIRD


def test_only_withheld_loads_can_be_skipped_and_only_releases_there_are_can_be_served(home: Installation) -> None:
    first = listed(home)[0]["release"]
    before = served(home)

    assert "is not withheld" in home.run("load", "--date", "2017-03-20", "--skip", first, check=1).text
    assert "no release 2017" in home.run("release", "rollback", "2017", check=1).text
    home.run("release", "rollback", first, check=0)
    assert "no earlier release" in home.run("release", "rollback", check=1).text
    home.run("release", "rollback", listed(home)[-1]["release"], check=0)
    assert served(home) == before


def test_pruning_keeps_the_served_release_whatever_its_age(home: Installation) -> None:
    first, second, third = (item["release"] for item in listed(home))
    home.run("release", "rollback", first, check=0)

    assert home.run("release", "prune", "--keep", "1", "--json", check=0).json == {"removed": [second]}

    assert release_folders(home) == [first, third]
    assert home.sql(LINES) == AFTER_FIRST
    gone = home.run("release", "rollback", second, check=1).text
    assert f"no release {second}" in gone


def test_a_load_prunes_to_as_many_releases_as_are_kept(home: Installation) -> None:
    home.env["CLIENTELE_KEEP_RELEASES"] = "2"

    report = home.load("2017-03-21")

    assert [item["release"] for item in listed(home)] == [*[r["release"] for r in listed(home)][:1], report["release"]]
    assert release_folders(home)[-1] == report["release"]


def test_a_build_that_is_not_what_was_written_is_not_published(home: Installation) -> None:
    before = served(home)

    done = disturb("change_a_sum_after_sealing", home, "load", "--date", "2017-03-21", "--json")

    assert done.code == 1
    assert done.json["status"] == "failed"
    assert "the reopened build says 18" in done.json["message"]
    assert served(home) == before


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("lose_a_line", "star.fct_sales_line net_amount: 10.0000, but feed complete_journey.transactions says 17.0000"),
        ("lose_a_cell", "cube.sales_base net_sales: 10.0000, but star.fct_sales_line says 17.0000"),
    ],
)
def test_a_build_that_does_not_reconcile_is_not_published_and_the_place_is_told(
    how: str, told: str, home: Installation
) -> None:
    before = served(home)

    done = disturb(how, home, "load", "--date", "2017-03-21", "--json")

    assert done.code == 1
    assert done.json["status"] == "failed"
    assert "reconciliation failed; not published" in done.json["message"]
    assert told in done.json["message"]
    assert "-> rebuild with `clientele load --rebuild`" in done.json["message"]
    assert served(home) == before
    assert done.json["reconciliation"]["differing"]
    # the next load needs no hands
    assert home.load("2017-03-21")["status"] == "published"
    assert home.sql("select count(*) > 0 from ops.reconciliation where difference <> 0") == [(True,)]
    assert home.sql(LINES) == AFTER_THIRD


def test_a_changed_model_is_rebuilt_with_its_descendants_only_and_a_changed_description_is_not(
    home: Installation, three_nights: Installation, tmp_path: Path
) -> None:
    dbt = tmp_path / "dbt"
    shutil.copytree(PROJECT / "dbt", dbt, ignore=shutil.ignore_patterns("target", "logs"))
    home.env["CLIENTELE_DBT_DIR"] = str(dbt)
    described = dbt / "models" / "cubes" / "sales_base.yml"
    described.write_text(described.read_text().replace("Sales by day", "What was sold by day"))

    assert home.load("2017-03-20")["rebuilt"] == ""

    model = dbt / "models" / "cubes" / "sales_base.sql"
    model.write_text(
        model.read_text().replace("as lines\n    group by", "as lines\n    where net_amount > 5\n    group by")
    )
    told = home.run("load", "--date", "2017-03-20")

    # the lines left out contradict the fact: the rebuilt cuboid is refused, and nothing else was rebuilt
    assert "rebuild because their models changed: sales_base, sales_store_days" in told.text
    assert told.code == 1
    model.write_text(model.read_text().replace("where net_amount > 5", "where net_amount is not null"))
    report = home.load("2017-03-20")
    assert report["rebuilt"] == "sales_base, sales_store_days"
    assert_same_tables(home, three_nights)
    assert "because their models changed: sales_base" in home.run("status", report["load_id"], check=0).text


def test_a_load_as_of_an_earlier_one_knows_what_was_known_then_and_serves_nothing(home: Installation) -> None:
    before, releases = served(home), listed(home)
    second = releases[1]["release"]

    report = home.load(None, "--as-of", second)

    assert (report["status"], report["kind"], report["release"]) == ("published", "as-of", None)
    assert served(home) == before
    assert listed(home) == releases
    beside = Installation(home.home / "as_of" / second, home.data)
    assert beside.sql(LINES) == AFTER_SECOND
    assert [r["action"] for r in ledger(home, "release")] == ["publish"] * 3 + ["as-of"]
    assert home.load("2017-03-20")["status"] == "unchanged"
    assert "there is no load nonsense" in home.run("load", "--as-of", "nonsense", check=1).text
