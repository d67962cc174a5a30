"""Compaction: fewer files, the same rows, for every kind of feed and whatever interrupts it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from landing_kit import CUSTOMERS, LINES, Rule, Shop

from dagster_project.errors import FeedError
from dagster_project.landing import compaction
from dagster_project.landing.batch import Outcome
from dagster_project.landing.manifest import Landing, remove_uncommitted

MakeShop = Callable[..., Shop]
HEADER = "id,sold_at,amount,note\n"
UPSERTS = LINES | {
    "extract": "upsert",
    "updated_at": "changed_at",
    "columns": LINES["columns"] | {"changed_at": "TIMESTAMP"},
}
ARRIVING = LINES | {"path": "lines_*.csv", "files": {"date": r"(\d{4}-\d{2}-\d{2})"}, "key": []}


def three_nights(here: Shop, feed: str) -> None:
    """Three nights of rows: new ones, a changed one, a deleted customer, one set aside."""
    for night in (1, 2, 3):
        day = f"2017-03-0{night}"
        if feed == "customers":
            cities = ["1,Rome", f"2,{'Oslo' if night == 1 else 'Bonn'}", *(["3,Graz"] if night < 3 else [])]
            here.write("customers.csv", "id,city\n" + "\n".join(cities) + "\n")
        elif here.feeds[feed].get("files"):
            here.write(f"lines_{day}.csv", f"{HEADER}{night},{day} 10:00:00,{night}.5,a\n9,{day} 11:00:00,-1,bad\n")
        elif here.feeds[feed]["extract"] == "upsert":
            rows = [f"{n},2017-03-01,{n + night},a,{day} 09:00:00" for n in range(1, night + 1)]
            here.write("lines.csv", "id,sold_at,amount,note,changed_at\n" + "\n".join(rows) + "\n")
        else:
            rows = [f"{n},2017-03-0{n} 10:00:00,{n}.5,a" for n in range(1, night + 1)]
            here.write("lines.csv", HEADER + "\n".join(rows) + f"\n9{night},{day} 11:00:00,-1,bad\n")
        here.load(feed, day, Rule("amount < 0") if feed == "lines" else Rule())


def rows_of(landing: Landing, feed: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        paths = [str(path) for path in landing.parts(landing.batches(f"shop.{feed}"))]
        return con.execute("select * from read_parquet($1, hive_partitioning = false) order by all", [paths]).fetchall()


def months(here: Shop, before: str = "2017-04-01") -> list[compaction.Month]:
    landing = here.landing
    return compaction.due(landing, landing.loads(), date.fromisoformat(before))


def compact(here: Shop) -> None:
    for month in months(here):
        compaction.compact(month, "500MB", 2)


@pytest.mark.parametrize(
    ("feed", "said"),
    [("lines", LINES), ("customers", CUSTOMERS), ("lines", UPSERTS), ("lines", ARRIVING)],
    ids=["append", "snapshot", "upsert", "arriving files"],
)
def test_three_batches_become_one_file_with_the_same_rows_and_manifests(
    shop: MakeShop, feed: str, said: dict[str, Any]
) -> None:
    here = shop(**{feed: said})
    three_nights(here, feed)
    rows, batches = rows_of(here.landing, feed), here.landing.batches(f"shop.{feed}")
    aside = here.set_aside(feed)
    assert len(here.landing.parts(batches)) == 3

    compact(here)

    assert rows_of(here.landing, feed) == rows
    assert here.landing.batches(f"shop.{feed}") == batches
    assert len(here.landing.parts(batches)) == 1
    assert here.set_aside(feed) == aside
    folders = sorted(path.name for path in (here.root / "landing" / "shop" / feed).iterdir())
    assert folders == ["compacted=load01"]
    assert months(here) == [], "what is compacted is not compacted again"
    assert remove_uncommitted(here.root / "landing", here.root / "quarantine") == []


@pytest.mark.parametrize(
    ("feed", "said"),
    [("lines", LINES), ("customers", CUSTOMERS), ("lines", UPSERTS), ("lines", ARRIVING)],
    ids=["append", "snapshot", "upsert", "arriving files"],
)
def test_the_night_after_knows_what_has_landed(shop: MakeShop, feed: str, said: dict[str, Any]) -> None:
    here = shop(**{feed: said})
    three_nights(here, feed)
    compact(here)

    again = here.load(feed, "2017-03-04", Rule("amount < 0") if feed == "lines" else Rule())

    assert again.outcome is Outcome.NOTHING_NEW
    assert again.counts.accepted == 0


def test_a_compacted_row_is_changed_and_deleted_as_any_other(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    three_nights(here, "customers")
    compact(here)
    here.write("customers.csv", "id,city\n1,Rome\n3,Graz\n")

    counts = here.load("customers", "2017-03-04").counts

    assert (counts.accepted, counts.unchanged, counts.deleted) == (1, 1, 1)
    assert here.landing.batches("shop.customers")[-1].current_keys == 2


def test_a_month_that_is_not_over_and_loads_that_may_still_be_taken_out_are_left_alone(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    three_nights(here, "lines")

    assert months(here, before="2017-03-01") == []
    landing = here.landing
    (month,) = compaction.due(landing, {"load01", "load02"}, date(2017, 4, 1))
    assert [batch.load_id for batch in month.batches] == ["load01", "load02"]
    assert compaction.due(landing, {"load01"}, date(2017, 4, 1)) == []


def test_batches_of_two_shapes_stay_apart(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    three_nights(here, "customers")
    for night in (4, 5):
        here.write("customers.csv", f"id,city,band\n1,Rome,A{night}\n2,Bonn,B\n")
        here.load("customers", f"2017-03-0{night}")
    rows = {m.load_id: m.counts for m in here.landing}

    compact(here)

    assert len(list((here.root / "landing/shop/customers").glob("compacted=*"))) == 2
    assert {m.load_id: m.counts for m in here.landing} == rows


def test_as_of_a_load_a_compacted_file_tells_which_loads_count(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    three_nights(here, "lines")
    compact(here)

    whole, then = here.landing, Landing(here.root / "landing", up_to="load02")

    assert whole.only(whole.batches("shop.lines")[0]) == ()
    assert [batch.load_id for batch in then.batches("shop.lines")] == ["load01", "load02"]
    assert then.only(then.batches("shop.lines")[0]) == ("load01", "load02")


@pytest.mark.parametrize("killed", ["before the manifest", "before the batches are removed", "while they are removed"])
def test_whatever_kills_a_compaction_no_row_is_lost_or_there_twice(
    shop: MakeShop, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = shop(lines=LINES)
    three_nights(here, "lines")
    rows, home = rows_of(here.landing, "lines"), here.root / "landing/shop/lines"
    (month,) = months(here)

    class Killed(BaseException):
        """As SIGKILL does, it lets nothing run that would tidy up."""

    removed: list[Path] = []
    remove = compaction.shutil.rmtree

    def rmtree(path: Path, **options: Any) -> None:
        if Path(path).name.startswith(".compact-"):
            return
        if Path(path).name.startswith("load="):
            if len(removed) == (killed == "while they are removed"):
                raise Killed
            removed.append(path)
        remove(path, **options)

    def stop(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(compaction.shutil, "rmtree", rmtree)
    if killed == "before the manifest":
        monkeypatch.setattr(compaction, "write_durably", stop)
    with pytest.raises(Killed):
        compaction.compact(month, "500MB", 2)
    monkeypatch.undo()

    assert rows_of(here.landing, "lines") == rows
    assert remove_uncommitted(here.root / "landing", here.root / "quarantine")
    assert rows_of(here.landing, "lines") == rows
    assert not list(home.glob(".compact-*"))
    if killed == "before the manifest":
        compact(here)
    assert [path.name for path in home.iterdir()] == ["compacted=load01"]
    assert rows_of(here.landing, "lines") == rows


def test_a_batch_whose_file_lost_rows_is_not_compacted(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    three_nights(here, "lines")
    part = here.root / "landing/shop/lines/load=load02/part.parquet"
    with duckdb.connect() as con:
        con.execute(f"create table t as select * from '{part}' limit 0")
        con.execute(f"copy t to '{part}' (format parquet)")
    (month,) = months(here)

    with pytest.raises(FeedError, match="load load02 has other rows than its manifest names") as error:
        compaction.compact(month, "500MB", 2)

    assert "nothing was changed" in error.value.remedy
    assert sorted(path.name for path in part.parents[1].iterdir()) == ["load=load01", "load=load02", "load=load03"]
