"""The link, and the proof that a closed build is what was written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.errors import ClienteleError, LoadError
from dagster_project.warehouse.releases import FILE, Release, Releases, verify

SUM = "select sum(amount) from sales"


def release(name: str, rows: int = 2, total: str = "3.50") -> Release:
    return Release(name, date(2017, 3, 1), "2017-03-02", (name,), {}, "project", {"sales": rows}, {SUM: total})


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "releases", tmp_path / FILE)


def build(folder: Path) -> Path:
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / FILE)) as con:
        con.execute("create table sales as select * from (values (1.25), (2.25)) t(amount)")
    return folder


def test_a_proven_build_becomes_the_served_release(releases: Releases, tmp_path: Path) -> None:
    releases.publish(build(tmp_path / "build" / "a"), release("a"))

    assert releases.link.readlink() == Path("releases/a/warehouse.duckdb")
    current = releases.current()
    assert current is not None
    assert current == release("a")
    assert list((tmp_path / "build").iterdir()) == []


@pytest.mark.parametrize(
    ("claimed", "told"),
    [
        (release("b", rows=3), "sales has 2 rows in the reopened build, 3 were written"),
        (release("b", total="3.51"), r"the reopened build says 3.50, 3.51 was written, for: select sum\(amount\)"),
    ],
)
def test_a_build_that_differs_from_what_was_written_is_refused(
    claimed: Release, told: str, releases: Releases, tmp_path: Path
) -> None:
    releases.publish(build(tmp_path / "build" / "a"), release("a"))

    with pytest.raises(LoadError, match=told):
        releases.publish(build(tmp_path / "build" / "b"), claimed)

    assert releases.link.readlink() == Path("releases/a/warehouse.duckdb")
    assert [item.release for item in releases.all()] == ["a"]


def test_a_build_with_a_write_ahead_log_beside_it_is_refused(tmp_path: Path) -> None:
    file = build(tmp_path / "a") / FILE
    file.with_name(f"{FILE}.wal").touch()

    with pytest.raises(LoadError, match="it was not closed"):
        verify(file, release("a"))


def test_a_link_that_leads_nowhere_and_a_file_in_its_place_are_told(releases: Releases) -> None:
    assert releases.current() is None
    releases.link.symlink_to("releases/gone/warehouse.duckdb")
    with pytest.raises(LoadError, match="there is no release"):
        releases.current()
    releases.link.unlink()
    releases.link.touch()
    with pytest.raises(LoadError, match="is a file, not the link"):
        releases.current()


def test_a_release_that_is_not_there_cannot_be_switched_to(releases: Releases) -> None:
    with pytest.raises(ClienteleError, match="there is no release x"):
        releases.switch("x")
    assert not releases.link.is_symlink()


def test_what_a_killed_load_moved_into_place_is_removed_and_what_is_withheld_is_kept(
    releases: Releases, tmp_path: Path
) -> None:
    for name in "abc":
        releases.publish(build(tmp_path / "build" / name), release(name))
    _, withheld = releases.rollback("a")
    build(releases.root / "d")  # never switched to
    (releases.root / "0").mkdir()  # half pruned

    removed = releases.remove_unpublished()

    assert withheld == ["b", "c"]
    assert sorted(path.name for path in removed) == ["0", "d"]
    assert [item.release for item in releases.all()] == ["a", "b", "c"]
