"""source.yml is validated whole: every mistake names the file, the key, and what was expected."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.errors import ConfigurationError
from dagster_project.landing.places import resolve_root
from dagster_project.landing.source import read_source, read_sources

GOOD: dict[str, Any] = {
    "name": "shop",
    "kind": "files",
    "root": "${SHOP_DIR:-somewhere}",
    "timezone": "Europe/Rome",
    "feeds": {
        "lines": {
            "path": "lines.csv",
            "class": "transactional",
            "canonical": "order_lines",
            "extract": "append",
            "cursor": "day",
            "columns": {"id": "int", "day": "timestamptz", "amount": "decimal(19,4)"},
        }
    },
}


def write(folder: Path, said: Any) -> Path:
    file = folder / "shop" / "source.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(said if isinstance(said, str) else yaml.safe_dump(said), encoding="utf-8")
    return file


def with_feed(**changes: Any) -> dict[str, Any]:
    feed = {key: value for key, value in (GOOD["feeds"]["lines"] | changes).items() if value is not None}
    return GOOD | {"feeds": {"lines": feed}}


def test_a_right_file_is_read_with_types_as_duckdb_names_them(tmp_path: Path) -> None:
    feed = read_source(write(tmp_path, GOOD)).feeds["lines"]

    assert feed.id == "shop.lines"
    assert feed.columns == {"id": "INTEGER", "day": "TIMESTAMP WITH TIME ZONE", "amount": "DECIMAL(19,4)"}


def test_a_feed_fills_one_canonical_feed_or_several_and_may_carry_another_systems_keys(tmp_path: Path) -> None:
    one = read_source(write(tmp_path, GOOD)).feeds["lines"]
    assert (one.canonical, one.system) == (("order_lines",), "shop")

    said = with_feed(canonical=["order_lines", "returns", "products"], system="till")
    several = read_source(write(tmp_path, said)).feeds["lines"]
    assert (several.canonical, several.system) == (("order_lines", "returns", "products"), "till")


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ({k: v for k, v in GOOD.items() if k != "timezone"}, "timezone", "is required and missing"),
        (GOOD | {"timezone": "Rome"}, "timezone", "'Rome' is no time zone, such as America/New_York"),
        (GOOD | {"kind": "ftp"}, "kind", "found 'ftp'"),
        (GOOD | {"name": "store"}, "name", "is 'store' but the folder is 'shop'"),
        (GOOD | {"owner": "me"}, "owner", "is not a known key"),
        (with_feed(path=None), "feeds.lines.path", "is required and missing"),
        (with_feed(path="/etc/lines.csv"), "feeds.lines.path", "relative to the source's root"),
        (with_feed(path="../lines.csv"), "feeds.lines.path", "relative to the source's root"),
        (with_feed(colour="red"), "feeds.lines.colour", "is not a known key"),
        (with_feed(ignore=["amount"]), "feeds.lines", "ignore names ['amount'], which columns lists as well"),
        (with_feed(versions_of=["id"]), "feeds.lines", "versions_of is for a snapshot"),
        (with_feed(extract="merge"), "feeds.lines.extract", "'append', 'upsert' or 'snapshot', found 'merge'"),
        (with_feed(extract="upsert", key=["id"]), "feeds.lines", "upsert needs a key and updated_at"),
        (with_feed(updated_at="day"), "feeds.lines", "only an upsert feed has updated_at; extract is append"),
        (
            with_feed(canonical="sales"),
            "feeds.lines.canonical",
            "['sales'] are no canonical feeds of sources/contract.yml",
        ),
        (with_feed(canonical=7), "feeds.lines.canonical", "expected the name of a canonical feed, or a list of names"),
        (with_feed(lookback_days=-1), "feeds.lines.lookback_days", "found -1"),
        (with_feed(max_rejected=2), "feeds.lines.max_rejected", "found 2"),
        (with_feed(columns={"id": "STRNG"}), "feeds.lines.columns.id", "'STRNG' is no DuckDB type"),
        (with_feed(columns={"_row": "BIGINT", "day": "DATE"}), "feeds.lines", "names the landing uses itself"),
        (with_feed(key=["nr"]), "feeds.lines", "key names ['nr'], which columns does not list"),
        (with_feed(control_totals={"net": "nett"}), "feeds.lines", "control_totals names ['nett']"),
        (with_feed(cursor=None), "feeds.lines", "append needs a cursor"),
        (with_feed(files={"date": "["}), "feeds.lines.files.date", "'[' is no regular expression"),
        (with_feed(files={"date": "[0-9]+"}), "feeds.lines.files.date", "'[0-9]+' needs one group, the date"),
        (with_feed(extract="snapshot", key=["id"], files={"date": "(.*)"}), "feeds.lines", "are append or upsert"),
        (with_feed(extract="snapshot", cursor=None), "feeds.lines", "a snapshot needs a key"),
        (with_feed(csv={"delimiter": "||"}), "feeds.lines.csv.delimiter", "at most 1 character"),
        (with_feed(csv={"encoding": "ascii"}), "feeds.lines.csv.encoding", "'utf-8', 'utf-16' or 'latin-1'"),
        (
            with_feed(cursor=None, dated_by={"feed": "days", "key": "id", "column": "day"}),
            "(file)",
            "feeds.lines.dated_by.feed: there is no feed 'days'",
        ),
        (
            with_feed(cursor=None, dated_by={"feed": "lines", "key": "nr", "column": "day"}),
            "(file)",
            "feeds.lines.dated_by: feed 'lines' has no column 'nr'",
        ),
        (GOOD | {"feeds": {"Lines": {}}}, "feeds.Lines", "expected a lower-case name and a mapping"),
        ("name: [", "", "not valid YAML"),
        ("just text", "", "expected a mapping with a key 'feeds'"),
    ],
)
def test_a_mistake_names_file_key_and_what_was_expected(tmp_path: Path, said: Any, key: str, expected: str) -> None:
    file = write(tmp_path, said)

    with pytest.raises(ConfigurationError) as caught:
        read_source(file)

    assert f"{file}: {key}" in caught.value.message
    assert expected in caught.value.message
    assert caught.value.remedy


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    said = with_feed(path=None, extract="merge") | {"timezone": "Rome"}

    with pytest.raises(ConfigurationError) as caught:
        read_source(write(tmp_path, said))

    assert len(caught.value.message.splitlines()) == 3


def test_a_source_that_does_not_exist_is_told_with_those_that_do(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    with pytest.raises(ConfigurationError) as caught:
        read_sources(tmp_path, ["shop", "store"])

    assert "there is no source 'store'" in caught.value.message
    assert "shop" in caught.value.remedy


def test_a_root_takes_variables_defaults_and_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DIR", "/mnt/shop")
    assert resolve_root("${SHOP_DIR:-elsewhere}/in", "shop") == Path("/mnt/shop/in")
    monkeypatch.delenv("SHOP_DIR")
    assert resolve_root("${SHOP_DIR:-elsewhere}/in", "shop") == Path("elsewhere/in")
    assert resolve_root("package:yaml/x", "shop") == Path(yaml.__file__).parent / "x"
    with pytest.raises(ConfigurationError, match="SHOP_DIR is not set"):
        resolve_root("${SHOP_DIR}", "shop")
    with pytest.raises(ConfigurationError, match="no_such_package is not installed"):
        resolve_root("package:no_such_package/x", "shop")


TABLES: dict[str, Any] = {
    "name": "shop",
    "kind": "postgres",
    "dsn": "${SHOP_PG_DSN}",
    "timezone": "Europe/Rome",
    "feeds": {
        "lines": {
            "table": "public.lines",
            "class": "transactional",
            "canonical": "order_lines",
            "extract": "append",
            "cursor": "day",
            "columns": {"id": "int", "day": "timestamptz"},
        }
    },
}


def with_table(**changes: Any) -> dict[str, Any]:
    feed = {key: value for key, value in (TABLES["feeds"]["lines"] | changes).items() if value is not None}
    return TABLES | {"feeds": {"lines": feed}}


def test_a_database_is_a_source_too(tmp_path: Path) -> None:
    source = read_source(write(tmp_path, TABLES))

    assert source.feeds["lines"].place == "table public.lines"
    assert source.statement_timeout_seconds == 3600


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({k: v for k, v in TABLES.items() if k != "dsn"}, "dsn is required and missing"),
        (TABLES | {"root": "data"}, "root is not for kind: postgres"),
        (GOOD | {"dsn": "${SHOP_PG_DSN}"}, "dsn is not for kind: files"),
        (with_table(table="lines"), "expected the schema and the table, such as public.orders"),
        (with_table(table=None), "give table or query, one of both"),
        (with_table(query="select 1"), "give table or query, one of both"),
        (with_table(path="lines.csv"), "path and csv are for kind: files"),
        (with_table(cursor="now()"), "is none of columns; compute it in query"),
        (with_feed(table="public.lines"), "table and query are for kind: postgres"),
    ],
)
def test_what_belongs_to_the_other_kind_is_told(tmp_path: Path, said: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_source(write(tmp_path, said))

    assert expected in caught.value.message


def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_source(write(tmp_path, TABLES | {"dsn": "postgresql://ana:s3cret@db/shop"}))

    assert "dsn: expected the name of an environment variable" in caught.value.message
    assert "s3cret" not in str(caught.value)
