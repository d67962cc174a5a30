"""The key of the personal data, and hashes made with it in SQL and in Python."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.landing.pii import Pii, open_pii, person_value
from dagster_project.landing.source import Feed

KEY = "correct horse battery staple, and thirty-two bytes"


def feed(**said: Any) -> Feed:
    whole = {
        "source": "shop",
        "name": "people",
        "path": "people.csv",
        "class": "descriptive",
        "canonical": "customers",
        "extract": "snapshot",
        "key": ["id"],
        "pii": {"first": "name", "last": "name", "mail": "email", "tel": "phone"},
        "columns": {"id": "BIGINT", "first": "VARCHAR", "last": "VARCHAR", "mail": "VARCHAR", "tel": "VARCHAR"},
    }
    return Feed.model_validate(whole | said)


@pytest.mark.parametrize("key", [b"k" * 32, b"k" * 64, b"k" * 65, b"k" * 200])
@pytest.mark.parametrize("text", ["", "a", "Zoë\x1f@example.com", "x" * 500])
def test_the_hash_in_sql_is_hmac_sha256(key: bytes, text: str) -> None:
    pii = Pii(key)
    with duckdb.connect() as con:
        pii.register(con)
        assert con.execute("select hmac_sha256($1)", [text]).fetchall() == [(pii.digest(text),)]


def split(rows: str, pii: Pii, columns: str = "*") -> list[tuple[Any, ...]]:
    people = feed()
    with duckdb.connect() as con:
        relation = f"(select *, id as _row from (values {rows}) t(id, first, last, mail, tel))"
        return con.execute(
            f"select {columns} from {pii.split(con, people, relation, people.columns)} order by _row"
        ).fetchall()


def test_equal_addresses_and_numbers_have_equal_keys() -> None:
    pii = Pii(KEY.encode())
    rows = split(
        "(1, 'a', 'b', ' Ann@Example.COM ', '+49 (0)30 / 12-34'), (2, 'c', 'd', 'ann@example.com', '0049030 1234'),"
        " (3, 'e', 'f', '  ', '030 1234'), (4, null, null, null, null)",
        pii,
        "_email_key, _phone_key",
    )
    ann = pii.digest("ann@example.com")
    assert rows == [
        (ann, pii.digest("+490301234")),
        (ann, pii.digest("+490301234")),
        (None, pii.digest("0301234")),
        (None, None),
    ]


def test_the_hash_of_a_row_tells_apart_what_only_looks_alike() -> None:
    rows = "(1, 'ab', 'c', '', ''), (2, 'a', 'bc', '', ''), (3, 'a', 'bc', null, ''), (4, 'a', 'bc', '', null)"
    found = split(rows, Pii(KEY.encode()), "_pii_hash")
    assert len(set(found)) == 4


def test_of_an_erased_person_only_the_hash_is_left() -> None:
    rows = "(1, 'Ann', 'Lee', 'ann@example.com', '12'), (2, 'Bob', 'Fox', 'bob@example.com', '34')"
    pii = Pii(KEY.encode())
    erased = Pii(KEY.encode(), frozenset({pii.person_key("shop", 1)}))
    assert [row[:1] for row in split(rows, erased, "_pii_hash")] == [row[:1] for row in split(rows, pii, "_pii_hash")]
    assert split(rows, erased, "id, first, last, mail, tel, _email_key is null") == [
        (1, None, None, None, None, True),
        (2, "Bob", "Fox", "bob@example.com", "34", False),
    ]


def test_a_person_is_known_by_the_same_key_in_sql_and_in_python() -> None:
    pii = Pii(KEY.encode())
    people = feed(person=["id", "no"], columns=feed().columns | {"no": "VARCHAR"})
    with duckdb.connect() as con:
        pii.register(con)
        found = con.execute(f"select {person_value(people)} from (select 7 as id, 'x' as no)")
        assert found.fetchall() == [(pii.person_key("shop", 7, "x"),)]


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    home, landing = tmp_path / "home", tmp_path / "home" / "landing"
    first = open_pii(home, landing, "", [feed()])
    assert stat.S_IMODE((home / "pii.key").stat().st_mode) == 0o600
    assert first is not None
    assert len(first.key) == 32
    assert open_pii(home, landing, "", [feed()]) == first
    # the same key, given as the variable
    assert open_pii(home, landing, (home / "pii.key").read_text().strip(), [feed()]) == first
    assert "key" not in repr(first).replace("pii_key", "")


def test_no_personal_data_no_key(tmp_path: Path) -> None:
    assert open_pii(tmp_path, tmp_path / "landing", "", [feed(pii={})]) is None
    assert not list(tmp_path.iterdir())


def test_another_key_is_refused(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    open_pii(tmp_path, landing, KEY, [feed()])
    with pytest.raises(ConfigurationError, match="is not the key that personal data has landed with"):
        open_pii(tmp_path, landing, KEY + "!", [feed()])
    with pytest.raises(ConfigurationError, match="the key of the personal data is gone"):
        open_pii(tmp_path, landing, "", [feed()])
    with pytest.raises(ConfigurationError, match="has 5 bytes, at least 32 are needed"):
        open_pii(tmp_path, landing, "short", [feed()])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"pii": {"mail": "shoe_size"}}, "shoe_size"),
        ({"pii": {"fax": "phone"}}, "fax"),
        ({"pii": {"id": "name"}}, "need in the clear"),
        ({"person": ["mail"]}, "need in the clear"),
        ({"extract": "append", "cursor": "id", "key": []}, "needs person"),
    ],
)
def test_a_mistake_in_what_is_personal_is_told(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        feed(**said)
