"""A batch is its manifest: without one nothing landed; and what landed adds up against the source."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from landing_kit import LINES, PASS, Rule, Shop

from dagster_project.landing.batch import Outcome, land_feed
from dagster_project.landing.extraction import Night
from dagster_project.landing.manifest import Landing, remove_uncommitted
from dagster_project.landing.quarantine import Quarantine
from dagster_project.landing.recount import recount_feed
from dagster_project.landing.source import read_source
from dagster_project.settings import PROJECT, Settings

MakeShop = Callable[..., Shop]
HEADER = "id,sold_at,amount,note\n"


def test_rows_without_a_manifest_are_no_batch_and_are_cleaned_up(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", HEADER + "1,2017-03-01,1,a\n2,2017-03-01,-1,b\n")
    here.load("lines", gate=Rule("amount < 0"))
    batch, aside = here.root / "landing/shop/lines/load=load01", here.root / "quarantine/shop/lines/load=load01"
    (batch / "manifest.json").unlink()
    half = here.root / "landing/shop/lines/.extract-load00"
    half.mkdir()

    assert here.landing.batches("shop.lines") == []
    assert here.quarantine.held("shop.lines") == []
    assert set(remove_uncommitted(here.root / "landing", here.root / "quarantine")) == {batch, aside, half}
    assert not batch.exists()
    assert not aside.exists()

    assert here.load("lines").counts.accepted == 2


def test_a_failed_feed_leaves_no_file_behind(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"max_rejected": 0})
    here.write("lines.csv", HEADER + "x,2017-03-01,1,a\n")

    here.fail("lines")

    assert list((here.root / "landing").rglob("*.*")) == []


def test_a_manifest_says_where_a_batch_came_from_and_the_watermark_moves_with_it(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"lookback_days": 2})
    path = here.write("lines.csv", HEADER + "1,2017-03-01 10:00:00,1,a\n")
    here.load("lines", "2017-03-01")
    here.write("lines.csv", HEADER + "1,2017-03-01 10:00:00,1,a\n2,2017-03-02,1,b\n")

    manifest = here.load("lines", "2017-03-02").manifest

    assert manifest
    assert (str(manifest.watermark_from), str(manifest.watermark_to)) == ("2017-02-28 00:00:00", "2017-03-03 00:00:00")
    assert [file.path for file in manifest.files] == [str(path)]
    first = here.landing.batches("shop.lines")[0]
    assert first.files[0].sha256 != manifest.files[0].sha256
    assert (manifest.feed_id, manifest.mode, manifest.schema_version) == ("shop.lines", "append", 1)


@pytest.fixture(scope="module")
def recounted(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = Shop(tmp_path_factory.mktemp("recount") / "shop", lines=LINES)
    made.write("lines.csv", HEADER + "1,2017-01-10,1,a\n1,2017-01-10,1,a\n2,2017-02-10,-1,bad\n3,2017-03-10,1,c\n")
    made.load("lines", "2017-03-15", Rule("amount < 0"))
    return made


def recount(here: Shop) -> list[tuple[str, int, int, int, int]]:
    source = here.source
    found = recount_feed(here.landing, source, source.feeds["lines"], Settings(home=here.root))
    return [(r["month"], r["in_source"], r["landed"], r["set_aside"], r["days_back"]) for r in found]


def test_a_recount_agrees_when_every_row_landed_was_set_aside_or_came_twice(recounted: Shop) -> None:
    assert recount(recounted) == []


def test_a_recount_finds_a_row_that_came_later_than_the_look_back(recounted: Shop) -> None:
    here = recounted
    lines = (here.data / "lines.csv").read_text()
    here.write("lines.csv", lines + "4,2017-01-20,1,late\n5,2017-03-11,1,month not closed\n")
    here.load("lines", "2017-03-16")

    assert recount(here) == [("2017-01-01", 2, 1, 0, 76)]

    here.load("lines", "2017-03-16", lookback_days=76)
    assert recount(here) == []


def test_a_recount_agrees_after_the_source_corrected_a_row_that_was_set_aside(recounted: Shop) -> None:
    here = recounted
    corrected = (here.data / "lines.csv").read_text().replace("2,2017-02-10,-1,bad", "2,2017-02-10,1,good")
    here.write("lines.csv", corrected)
    assert recount(here) == [("2017-02-01", 1, 0, 0, 45)]

    here.load("lines", "2017-03-16", lookback_days=60)

    assert recount(here) == []


def test_every_row_of_every_real_feed_is_accounted_for(slice_dir: Path, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COMPLETE_JOURNEY_DIR", str(slice_dir))
    source = read_source(PROJECT / "sources" / "complete_journey" / "source.yml")
    totals: dict[str, dict[str, int]] = {}
    for number, day in enumerate(("2017-03-31", "2017-04-01", "2018-01-31")):
        landing = Landing(tmp_path / "landing")
        for feed in source.feeds.values():
            night = Night(
                load_id=f"load{number}",
                load_date=date.fromisoformat(day),
                landing=landing,
                quarantine=Quarantine(tmp_path / "quarantine", landing),
                memory_limit="1GB",
                threads=2,
            )
            result = land_feed(night, source, feed, PASS)
            assert result.outcome is not Outcome.FAILED, result.message
            assert result.counts.balanced()
            assert (result.counts.quarantined, result.counts.rejected, result.counts.deleted) == (0, 0, 0)
            table = totals.setdefault(feed.name, {"accepted": 0})
            table["accepted"] += result.counts.accepted

    with duckdb.connect() as con:
        for name, table in totals.items():
            rows = "distinct *" if name == "coupons" else "*"
            query = f"select count(*) from (select {rows} from '{slice_dir / f'{name}.parquet'}')"
            assert table["accepted"] == con.execute(query).fetchall()[0][0], name
        money = con.execute(
            f"select sum(cast(round(sales_value, 2) as decimal(18, 2))) from '{slice_dir / 'transactions.parquet'}'"
        ).fetchall()[0][0]
    months = [m.months for m in Landing(tmp_path / "landing").batches("complete_journey.transactions")]
    landed = sum(float(month["net_amount"]) for batch in months for month in batch.values())
    assert round(landed, 2) == float(money)
