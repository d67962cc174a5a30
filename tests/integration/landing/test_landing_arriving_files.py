"""Arriving files: each lands once, by content; rows are told apart by file; nothing depends on the order of arrival."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from landing_kit import LINES, Rule, Shop

MakeShop = Callable[..., Shop]
FILES: dict[str, Any] = LINES | {
    "path": "in/lines_*.csv",
    "key": [],
    "cursor": None,
    "files": {"date": r"(\d{4}-\d{2}-\d{2})"},
}
UPSERTS = FILES | {"extract": "upsert", "key": ["id"], "updated_at": "sold_at"}
HEADER = "id,sold_at,amount,note\n"
TWIN = "1,2017-03-01,1,twin\n"


def counts(result: Any) -> dict[str, int]:
    assert result.counts.balanced()
    return {name: n for name, n in result.counts.model_dump().items() if n}


@pytest.fixture
def here(shop: MakeShop) -> Shop:
    made = shop(lines=FILES)
    (made.data / "in").mkdir()
    return made


def deliver(here: Shop, day: str, *rows: str, name: str = "lines_{}.csv") -> Path:
    return here.write(f"in/{name.format(day)}", HEADER + "".join(rows))


def names(here: Shop) -> list[list[str]]:
    return [[Path(file.path).name for file in batch.files] for batch in here.landing.batches("shop.lines")]


def test_each_file_lands_once_and_twins_survive_within_and_across_files(here: Shop) -> None:
    deliver(here, "2017-03-01", TWIN, TWIN)
    first = here.load("lines", "2017-03-01")
    deliver(here, "2017-03-02", TWIN, "2,2017-03-02,1,b\n")
    second = here.load("lines", "2017-03-02")
    third = here.load("lines", "2017-03-02")

    assert counts(first) == {"read": 2, "accepted": 2}
    assert counts(second) == {"read": 2, "accepted": 2}
    assert (counts(third), third.manifest) == ({}, None)
    assert here.landed("lines", "id, _business_date::varchar") == [
        (1, "2017-03-01"), (1, "2017-03-01"), (1, "2017-03-02"), (2, "2017-03-02")
    ]  # fmt: skip
    assert names(here) == [["lines_2017-03-01.csv"], ["lines_2017-03-02.csv"]]


def test_a_file_of_a_later_day_waits_and_a_late_one_is_taken_when_it_appears(here: Shop) -> None:
    deliver(here, "2017-03-02", "2,2017-03-02,1,b\n")
    deliver(here, "2017-03-04", "4,2017-03-04,1,d\n")
    here.load("lines", "2017-03-03")
    deliver(here, "2017-03-01", "1,2017-03-01,1,late\n")
    here.load("lines", "2017-03-04")

    assert names(here) == [["lines_2017-03-02.csv"], ["lines_2017-03-01.csv", "lines_2017-03-04.csv"]]


def test_a_renamed_file_has_landed_and_one_taken_away_is_not_missed(here: Shop) -> None:
    file = deliver(here, "2017-03-01", TWIN)
    here.load("lines", "2017-03-01")
    file.rename(file.with_name("lines_2017-03-02.csv"))

    assert counts(here.load("lines", "2017-03-02")) == {}
    file.with_name("lines_2017-03-02.csv").unlink()
    assert counts(here.load("lines", "2017-03-03")) == {}
    assert here.landed("lines", "id") == [(1,)]


def test_a_landed_file_that_changed_is_an_error_that_names_both(here: Shop) -> None:
    deliver(here, "2017-03-01", TWIN)
    here.load("lines", "2017-03-01")
    changed = deliver(here, "2017-03-01", TWIN, TWIN)

    told = here.fail("lines", "2017-03-02")

    shas = json.loads((here.root / "landing/shop/lines/load=load01/manifest.json").read_text())["files"][0]["sha256"]
    assert str(changed) in told
    assert f"{shas[:12]}) that landed with load load01" in told
    assert len(here.landing.batches("shop.lines")) == 1


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda here: None, "no file in/lines_*.csv"),
        (lambda here: deliver(here, "", TWIN, name="lines_new.csv"), "lines_new.csv: its name has no date"),
        (lambda here: deliver(here, "2017-13-01", TWIN), "lines_2017-13-01.csv: its name has no date"),
        (lambda here: here.write("in/lines_2017-03-01.csv", ""), "is empty (0 bytes)"),
    ],
)
def test_what_cannot_be_taken_is_told(here: Shop, make: Callable[[Shop], None], expected: str) -> None:
    make(here)
    assert expected in here.fail("lines")


def test_rows_set_aside_or_rejected_in_one_file_are_not_known_in_another(here: Shop) -> None:
    bad, broken = "1,2017-03-01,-1,bad\n", "x,2017-03-01,1,broken\n"
    deliver(here, "2017-03-01", bad, broken, TWIN)
    first = here.load("lines", "2017-03-01", Rule("amount < 0"))
    deliver(here, "2017-03-02", TWIN, bad, broken)
    second = here.load("lines", "2017-03-02", Rule("amount < 0"))

    for result in (first, second):
        assert counts(result) == {"read": 3, "accepted": 1, "quarantined": 1, "rejected": 1}
    held = here.quarantine.held("shop.lines")
    here.quarantine.request("shop.lines", "replay", held[:1], force=True)
    assert counts(here.load("lines", "2017-03-03")) == {"read": 1, "accepted": 1, "replayed": 1}
    assert here.landed("lines", "amount, _business_date::varchar", "load03") == [(-1.0, "2017-03-01")]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_the_ordinals_of_rows_do_not_depend_on_the_order_of_arrival(tmp_path: Path, ending: str) -> None:
    days = ["2017-03-01", "2017-03-02", "2017-03-02b", "2017-03-03"]
    nights = [[days], [[day] for day in days], [days[2:], days[:2]], [[days[3]], [days[1], days[0]], [days[2]]]]
    found = []
    for order in nights:
        here = Shop(tmp_path / f"shop{len(found)}", lines=FILES | {"path": f"in/*{ending}"})
        (here.data / "in").mkdir()
        for night in order:
            for day in night:
                rows = (
                    f"select i::bigint as id, timestamp '2017-03-01' as sold_at, 1.0::double as amount, '{day}' as note"
                )
                query = f"{rows} from range(3) t(i)"
                if ending == ".parquet":
                    here.parquet(f"in/{day}{ending}", query)
                elif ending == ".csv":
                    deliver(here, day, *(f"{i},2017-03-01,1,{day}\n" for i in range(3)), name="{}.csv")
                else:
                    row = {"sold_at": "2017-03-01", "amount": 1, "note": day}
                    here.write(f"in/{day}{ending}", "".join(json.dumps({"id": i} | row) + "\n" for i in range(3)))
            here.load("lines", "2017-03-03")
        found.append(here.landed("lines", "_row, id, note, _business_date"))

    assert len({row for row, *_ in found[0]}) == 12
    assert found.count(found[0]) == len(found)
    # in order of the date, then of the row within its file
    assert [note[:10] for _, _, note, _ in found[0]] == sorted(note[:10] for _, _, note, _ in found[0])


def test_upserts_that_arrive_in_files_are_ordered_by_their_versions(shop: MakeShop) -> None:
    here = shop(lines=UPSERTS)
    (here.data / "in").mkdir()
    deliver(here, "2017-03-02", "1,2017-03-02,2,new\n")
    here.load("lines", "2017-03-02")
    deliver(here, "2017-03-01", "1,2017-03-01,1,old\n")

    here.load("lines", "2017-03-03")

    assert here.landed("lines", "note, _superseded") == [("new", False), ("old", True)]


def test_a_file_of_another_shape_does_not_reach_back_to_those_that_landed(here: Shop) -> None:
    deliver(here, "2017-03-01", TWIN)
    here.load("lines", "2017-03-01")
    here.write("in/lines_2017-03-02.csv", HEADER.strip() + ",more\n2,2017-03-02,1,b,x\n")

    result = here.load("lines", "2017-03-02")

    assert result.drift == ["+ more VARCHAR: new"]
    assert here.landed("lines", "id, more", "load02") == [(2, "x")]
