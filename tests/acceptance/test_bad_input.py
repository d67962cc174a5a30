"""Bad deliveries and a full disk: the feed that has one says so, the others load, nothing is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.support.installation import PROJECT, Installation, assert_same_tables

BEFORE, NIGHT = "2017-03-01", "2017-12-31"
AS_CSV = ("products", "demographics", "coupon_redemptions", "promotions")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, slice_dir: Path) -> Installation:
    """A warehouse that was loaded without trouble until now."""
    root = tmp_path_factory.mktemp("before")
    made = Installation(root / "home", root / "data")
    shutil.copytree(slice_dir, made.data)
    made.load(BEFORE)
    return made


@pytest.fixture(scope="module")
def untroubled(before: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The same warehouse after a night in which nothing went wrong."""
    made = before.copy(tmp_path_factory.mktemp("untroubled") / "home")
    made.load(NIGHT)
    return made


@pytest.fixture
def troubled(before: Installation, tmp_path: Path) -> Installation:
    return before.copy(tmp_path / "home")


def deliver_csv(installation: Installation, feeds: tuple[str, ...], sources: Path) -> None:
    """From now on the source delivers these feeds as CSV, and its source.yml says so."""
    said = yaml.safe_load((PROJECT / "sources" / "complete_journey" / "source.yml").read_text())
    with duckdb.connect() as con:
        for feed in feeds:
            said["feeds"][feed]["path"] = f"{feed}.csv"
            con.execute(
                f"copy (from '{installation.data / feed}.parquet') to '{installation.data / feed}.csv' (header)"
            )
    told = sources / "complete_journey" / "source.yml"
    told.parent.mkdir(parents=True)
    told.write_text(yaml.safe_dump(said))
    installation.env["CLIENTELE_SOURCES_DIR"] = str(sources)


def rewrite(file: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))


def without_first_column(lines: list[bytes]) -> list[bytes]:
    return [line.partition(b",")[2] for line in lines]


def a_tenth_unparseable(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b",", b",?", 1) if n and n % 10 == 0 else line for n, line in enumerate(lines)]


def spoil(installation: Installation) -> None:
    """Seven deliveries go wrong in seven ways on one night; only campaign_descriptions is good."""
    data = installation.data
    parquet = data / "transactions.parquet"
    parquet.write_bytes(parquet.read_bytes()[:-1000])
    rewrite(data / "products.csv", without_first_column)
    rewrite(data / "demographics.csv", lambda lines: [line.replace(b",", b";") for line in lines])
    rewrite(data / "coupon_redemptions.csv", lambda lines: [lines[0], *(b"\xff" + line for line in lines[1:])])
    rewrite(data / "promotions.csv", a_tenth_unparseable)
    (data / "campaigns.parquet").write_bytes(b"")
    installation.edit("coupons.parquet", "alter table t alter coupon_upc type varchar")


def told(report: dict[str, Any]) -> dict[str, str]:
    """Message and remedy per failed feed."""
    return {
        row["feed"].removeprefix("complete_journey."): row["message"]
        for row in report["feeds"]
        if row["outcome"] == "failed"
    }


EXPECTED = {
    "transactions": ("file transactions.parquet can't be read", "have it delivered again"),
    "products": ("file products.csv", "- product_id BIGINT: missing", "clientele source accept"),
    "demographics": ("file demographics.csv", "the header looks separated by ';', not ','"),
    "coupon_redemptions": ("coupon_redemptions.csv, line 2", "invalid encoding", "its text is not utf-8"),
    "promotions": ("promotions.csv, line 11, column store_id: not to be read as BIGINT", "have the file corrected"),
    "campaigns": ("campaigns.parquet is empty (0 bytes)", "deliver the file again"),
    "coupons": ("file coupons.parquet", "~ coupon_upc: was BIGINT, is VARCHAR", "clientele source accept"),
}


def test_bad_deliveries_are_named_the_good_one_loads_and_the_repair_brings_all(
    troubled: Installation, untroubled: Installation, tmp_path: Path
) -> None:
    served = troubled.sql("select count(*), sum(net_amount) from star.fct_sales_line")
    deliver_csv(troubled, AS_CSV, tmp_path / "sources")
    good = shutil.copytree(troubled.data, tmp_path / "good")
    spoil(troubled)

    report = troubled.load(NIGHT, check=1)

    assert report["status"] == "partial"
    messages = told(report)
    assert messages.keys() == EXPECTED.keys()
    for feed, words in EXPECTED.items():
        assert messages[feed].startswith(f"complete_journey.{feed}: ")
        assert [word for word in words if word not in messages[feed]] == [], messages[feed]
        assert "\n  -> " in messages[feed]
    # the others went on and were published; what the failed ones had brought before is still served
    campaigns = "select count(*) from star.dim_campaign where campaign_key > 0"
    assert troubled.sql(campaigns) == untroubled.sql(campaigns)
    assert troubled.sql("select count(*), sum(net_amount) from star.fct_sales_line") == served
    status = troubled.run("status", "--json", check=1).json
    assert status["served"]["release"] == report["load_id"]

    shutil.rmtree(troubled.data)
    shutil.copytree(good, troubled.data)
    troubled.load(NIGHT)

    assert_same_tables(troubled, untroubled)


def test_a_missing_folder_fails_every_feed_by_name_and_the_warehouse_stays_served(troubled: Installation) -> None:
    before = troubled.warehouse.resolve()
    troubled.data.rename(troubled.data.with_name("elsewhere"))

    finished = troubled.run("load", "--date", BEFORE, check=1)

    for feed in (*EXPECTED, "campaign_descriptions"):
        assert f"complete_journey.{feed}: " in finished.text
    assert f"the source's folder {troubled.data} does not exist" in finished.text
    assert "-> mount or create it" in finished.text
    assert troubled.warehouse.resolve() == before
    assert troubled.sql("select count(*) > 0 from star.fct_sales_line") == [(True,)]


# A small disk for one folder, in a user and mount namespace; the home is copied out at the end.
ON_A_SMALL_DISK = """
set -eu
mv "$FOLDER" "$FOLDER.before"
mkdir "$FOLDER"
mount -t tmpfs -o size=2g tmpfs "$FOLDER"
cp -a "$FOLDER.before/." "$FOLDER"
mount -o remount,size=$(( $(df --output=used -B1 "$FOLDER" | tail -1) + LEFT )) "$FOLDER"
set +e
"$@" load --date "$NIGHT" --json >"$OUT/full.json" 2>"$OUT/full.err"; echo $? >"$OUT/full.code"
"$@" status --json >"$OUT/status.json"
"$@" sql --json "select count(*) as n from star.fct_sales_line" >"$OUT/sql.json"
mount -o remount,size=2g "$FOLDER"
"$@" load --date "$NIGHT" --json >"$OUT/freed.json"; echo $? >"$OUT/freed.code"
cp -a "$CLIENTELE_HOME" "$OUT/home"
"""


def load_on_a_small_disk(installation: Installation, folder: Path, left: int, out: Path) -> None:
    """Load with so many bytes left on the folder's disk, then again with room; what came out is in `out`."""
    allowed = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True, check=False
    )
    if allowed.returncode:
        pytest.skip(f"this machine refuses a mount in a user namespace: {allowed.stderr.strip()}")
    out.mkdir()
    own = {"FOLDER": str(folder), "OUT": str(out), "NIGHT": NIGHT, "LEFT": str(left)}
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", ON_A_SMALL_DISK, "bash", *installation.command()],
        env=installation.environment() | own,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("folder", "left", "expected"),
    [
        ("landing", 300_000, "complete_journey.transactions: the disk is full"),
        (".", 6_000_000, "the disk is full"),  # enough to land, too little to build
    ],
)
def test_a_full_disk_is_named_keeps_the_last_release_served_and_loses_nothing(
    troubled: Installation, untroubled: Installation, tmp_path: Path, folder: str, left: int, expected: str
) -> None:
    lines = troubled.sql("select count(*) from star.fct_sales_line")[0][0]
    out = tmp_path / "out"

    load_on_a_small_disk(troubled, troubled.home / folder, left, out)

    assert (out / "full.code").read_text() == "1\n"
    full = json.loads((out / "full.json").read_text())
    message = full.get("error") or "\n".join([full["message"], *told(full).values()])
    assert expected in message
    assert "free space on the disk of CLIENTELE_HOME" in message + full.get("remedy", "")
    status = json.loads((out / "status.json").read_text())
    assert json.loads((out / "sql.json").read_text()) == [{"n": lines}]
    assert status["served"]["load_date"] == (NIGHT if full.get("release") else BEFORE)
    assert (out / "freed.code").read_text() == "0\n", (out / "freed.json").read_text()
    assert_same_tables(Installation(out / "home", troubled.data), untroubled)
