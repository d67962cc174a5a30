"""Looking at files: which feeds they are, what their columns hold, what tells their rows apart."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.landing import sql
from dagster_project.profiling.discover import find_feeds, left_out, plain_name
from dagster_project.profiling.profile import FeedProfile, profile

Look = Callable[[str, str], FeedProfile]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Writes one file and profiles it."""

    def at(name: str, text: str) -> FeedProfile:
        (tmp_path / name).write_text(text, encoding="utf-8")
        folder, [found] = find_feeds(tmp_path / name)
        with sql.scratch(tmp_path, "500MB", 1) as con:
            return profile(con, found, folder)

    return at


def write(folder: Path, *names: str, text: str = "id,at\n1,2024-01-01\n") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_files_are_grouped_by_their_name_without_date_or_number(tmp_path: Path) -> None:
    write(tmp_path, "orders_2024-01-01.csv", "orders_2024-01-02.csv", "Customers.jsonl", "part-1.csv", "part-2.csv")
    write(tmp_path, "dim_2.csv", "by-day/20240101.csv", "by-day/20240102.csv")
    _, feeds = find_feeds(tmp_path)
    assert {feed.name: (feed.path, len(feed.files), feed.date_pattern) for feed in feeds} == {
        "by_day": ("by-day/*.csv", 2, r"(\d{8})"),
        "customers": ("Customers.jsonl", 1, None),
        "dim_2": ("dim_2.csv", 1, None),
        "orders": ("orders_*.csv", 2, r"(\d{4}-\d{2}-\d{2})"),
        "part": ("part-*.csv", 2, None),
    }


def test_two_feeds_of_one_name_take_their_folders_names(tmp_path: Path) -> None:
    write(tmp_path, "shop/orders.csv", "web/orders.csv")
    _, feeds = find_feeds(tmp_path)
    assert [feed.name for feed in feeds] == ["shop_orders", "web_orders"]


@pytest.mark.parametrize(
    ("raw", "delimiter", "encoding"),
    [
        (b"id,name\n1,Ada\n2,Max\n", ",", "utf-8"),
        ('id;name\n1;"Jäger, Max"\n'.encode("latin-1"), ";", "latin-1"),
        ("id\tname\n1\tAda\n".encode("utf-16"), "\t", "utf-16"),
        (b"id|note\n1|a, b, c\n2|d\n", "|", "utf-8"),
    ],
)
def test_the_dialect_of_a_text_file_is_found(tmp_path: Path, raw: bytes, delimiter: str, encoding: str) -> None:
    (tmp_path / "people.csv").write_bytes(raw)
    with gzip.open(tmp_path / "zipped.csv.gz", "wb") as stream:
        stream.write(raw)
    _, feeds = find_feeds(tmp_path)
    assert {(feed.csv.delimiter, feed.csv.encoding) for feed in feeds} == {(delimiter, encoding)}


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    write(tmp_path, "report.xlsx")
    with pytest.raises(ConfigurationError, match="no file with an ending that can be read"):
        find_feeds(tmp_path)
    with pytest.raises(ConfigurationError, match="there is no file or folder"):
        find_feeds(tmp_path / "gone")
    assert left_out(tmp_path) == ["report.xlsx"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", "17850.0"], "BIGINT"),
        (["007", "012"], "VARCHAR"),
        (["1.5", "2"], "DECIMAL(19,4)"),
        (["0.123456", "2"], "DECIMAL(28,12)"),
        (["1e-20", "2.5"], "DOUBLE"),
        (["2024-01-31", "2024-02-01"], "DATE"),
        (["2024-01-31 10:00:00", "2024-02-01 00:00:00"], "TIMESTAMP"),
        (["2024-01-31T10:00:00Z", "2024-02-01T00:00:00+02:00"], "TIMESTAMP WITH TIME ZONE"),
        (["true", "false"], "BOOLEAN"),
        (["0", "1"], "BIGINT"),
        (["12 pcs", "3"], "VARCHAR"),
        (["", ""], "VARCHAR"),
    ],
)
def test_a_column_of_text_gets_the_strictest_type_that_changes_no_value(
    look: Look, values: list[str], kind: str
) -> None:
    found = look("t.csv", "n,v\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values)))
    assert found.columns["v"].kind == kind


def test_a_profile_counts_what_is_missing_and_what_differs(look: Look) -> None:
    found = look("t.csv", "id,grade,price\n1,a,2.50\n2,b,\n3,a,9.00\n4,,1.00\n")
    grade, price = found.columns["grade"], found.columns["price"]
    assert (found.rows, grade.nulls, grade.distinct, grade.codes) == (4, 0.25, 2, {"a": 2, "b": 1})
    assert (price.nulls, str(price.low), str(price.high)) == (0.25, "1.0000", "9.0000")


def test_keys_are_the_fewest_columns_that_tell_rows_apart(look: Look) -> None:
    found = look("t.csv", "order_no,line,qty\n1,1,5\n1,2,6\n2,1,7\n2,2,8\n")
    assert found.keys == (("order_no", "line"),)  # qty is unique too, by chance: an amount is no key


def test_rows_that_nothing_tells_apart_are_counted(look: Look) -> None:
    assert look("t.csv", "visit,spend,note\n1,2.50,a\n1,2.50,\n1,2.50,b\n0,0,\n").twins == 2
    assert look("t.csv", "visit,spend\n1,2.50\n1,3.50\n0,0\n").twins == 0


def test_json_lines_are_profiled_as_they_are_loaded(look: Look) -> None:
    found = look("t.jsonl", '{"id": 1, "price": 2.5, "tags": ["a"]}\n{"id": 2}\nno object\n')
    kinds = {name: column.kind for name, column in found.columns.items()}
    assert kinds == {"id": "BIGINT", "price": "DECIMAL(19,4)", "tags": "VARCHAR"}
    assert (found.rows, found.rejected) == (2, 1)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("OrderLines", "order_lines"), ("CustomerID", "customer_id"), ("Sales (EU)", "sales_eu"), ("2024", "n2024")],
)
def test_names_become_plain(name: str, plain: str) -> None:
    assert plain_name(name) == plain
