"""Personal data lands apart: never in part.parquet, changes still seen, files for their owner only."""

from __future__ import annotations

import stat
from pathlib import Path

import duckdb
import pytest

from dagster_project.landing.pii import Pii
from tests.integration.landing.landing_kit import CUSTOMERS, LINES, Rule, Shop

PII = Pii(b"a key for the tests, of thirty-two bytes")
PEOPLE = CUSTOMERS | {
    "pii": {"name": "name", "mail": "email"},
    "max_rejected": 1.0,
    "columns": {"id": "BIGINT", "city": "VARCHAR", "name": "VARCHAR", "mail": "VARCHAR"},
}
ORDERS = LINES | {
    "canonical": ["order_lines", "customers"],
    "pii": {"note": "address"},
    "person": ["customer"],
    "columns": LINES["columns"] | {"customer": "VARCHAR"},
}
NIGHT = {"pii": PII}


def everything(root: Path) -> str:
    """All text below a folder: the bytes of its files, and the values of its Parquet files."""
    found = []
    with duckdb.connect() as con:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            found.append(path.read_bytes().decode("latin-1"))
            if path.suffix == ".parquet":
                found += [str(row) for row in con.execute(f"select * from read_parquet('{path}')").fetchall()]
    return "\n".join(found)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, people=PEOPLE, orders=ORDERS)


def personal(shop: Shop, feed: str, load: str) -> list[tuple[object, ...]]:
    path = shop.root / "landing" / "shop" / feed / f"load={load}" / "pii.parquet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with duckdb.connect() as con:
        return con.execute(f"from read_parquet('{path}', hive_partitioning = false) order by _row").fetchall()


def test_personal_columns_lie_beside_the_batch(shop: Shop) -> None:
    shop.write("customers.csv", "id,city,name,mail\n1,Rome,Ann Lee,ann@example.com\n2,Oslo,Bob Fox,\n3,Bonn,,\n")
    manifest = shop.load("people", **NIGHT).manifest
    assert manifest is not None
    assert manifest.pii == {"name": "VARCHAR", "mail": "VARCHAR"}
    assert list(manifest.columns) == ["id", "city", "_pii_hash", "_email_key"]
    assert shop.landed("people", "id, city, _email_key") == [
        (1, "Rome", PII.digest("ann@example.com")),
        (2, "Oslo", None),
        (3, "Bonn", None),
    ]
    assert [row[2:] for row in personal(shop, "people", "load01")] == [
        ("Ann Lee", "ann@example.com"),
        ("Bob Fox", None),
    ]


def test_a_changed_address_is_a_change_and_an_unchanged_one_is_not(shop: Shop) -> None:
    shop.write("customers.csv", "id,city,name,mail\n1,Rome,Ann Lee,ann@example.com\n2,Oslo,Bob Fox,bob@example.com\n")
    shop.load("people", **NIGHT)
    shop.write("customers.csv", "id,city,name,mail\n1,Rome,Ann Lee,ann@new.example\n2,Oslo,Bob Fox,bob@example.com\n")
    second = shop.load("people", "2017-03-02", **NIGHT).counts
    assert (second.accepted, second.unchanged) == (1, 1)
    assert personal(shop, "people", "load02") == [("load02", 1, "Ann Lee", "ann@new.example")]
    shop.write("customers.csv", "id,city,name,mail\n2,Oslo,Bob Fox,bob@example.com\n")
    assert shop.load("people", "2017-03-03", **NIGHT).counts.deleted == 1
    assert personal(shop, "people", "load03") == []


def test_events_with_personal_data_are_known_again_in_the_look_back(shop: Shop) -> None:
    shop.write("lines.csv", "id,sold_at,amount,note,customer\n1,2017-03-01 10:00:00,2.5,5 High Street,7\n")
    shop.load("orders", **NIGHT)
    shop.write(
        "lines.csv",
        "id,sold_at,amount,note,customer\n1,2017-03-01 10:00:00,2.5,5 High Street,7\n"
        "2,2017-03-02 10:00:00,1,9 Low Road,8\n",
    )
    again = shop.load("orders", "2017-03-02", **NIGHT).counts
    assert (again.accepted, again.already_landed, again.quarantined) == (1, 1, 0)
    erased = Pii(PII.key, frozenset({PII.person_key("shop", 7)}))
    assert shop.load("orders", "2017-03-03", pii=erased).counts.already_landed == 2


def test_the_values_are_nowhere_but_where_they_belong(shop: Shop) -> None:
    shop.write(
        "customers.csv",
        "id,city,name,mail\n1,Rome,Ann Lee,ann@example.com\n2,Oslo,Bob Fox,bob@example.com\n"
        "x,Bonn,Cy Orr,cy@example.com\n",
    )
    seen: list[str] = []

    class Gate(Rule):
        def __call__(self, batch: Path, violations: Path) -> object:
            with duckdb.connect() as con:
                seen.extend(name for (name,) in con.execute(f"select name from '{batch}' order by id").fetchall())
            return super().__call__(batch, violations)

    shop.load("people", gate=Gate("mail like 'bob%'"), **NIGHT)
    assert seen == ["Ann Lee", "Bob Fox"]
    private = [p for p in shop.root.rglob("*.parquet") if p.name in {"pii.parquet", "rows.parquet", "rejects.parquet"}]
    assert {p.name for p in private} == {"pii.parquet", "rows.parquet", "rejects.parquet"}
    assert {stat.S_IMODE(p.stat().st_mode) for p in private} == {0o600}
    (shop.data / "customers.csv").unlink()
    for path in private:
        path.rename(shop.root.parent / path.name)
    told = everything(shop.root)
    assert not [value for value in ("Ann", "example", "Fox", "Cy Orr") if value in told]


def test_rows_set_aside_are_masked_until_asked_otherwise_and_replayed_whole(shop: Shop) -> None:
    shop.write("customers.csv", "id,city,name,mail\n1,Rome,Ann Lee,ann@example.com\nx,Bonn,Cy Orr,cy@example.com\n")
    shop.load("people", gate=Rule("mail like 'ann%'"), **NIGHT)
    held = shop.quarantine.held("shop.people")
    masked = shop.quarantine.show("shop.people", held, 9)[0]
    assert (masked["name"], masked["mail"], masked["city"]) == ("***", "***", "Rome")
    assert shop.quarantine.show("shop.people", held, 9, unmask=True)[0]["mail"] == "ann@example.com"
    assert shop.quarantine.rejects("shop.people", 9)[0]["raw"] == "***"
    assert "Cy Orr" in shop.quarantine.rejects("shop.people", 9, unmask=True)[0]["raw"]
    again = shop.load("people", "2017-03-02", gate=Rule("mail like 'ann%'"), **NIGHT).counts
    assert (again.accepted, again.quarantined) == (0, 0)
    shop.quarantine.request("shop.people", "replay", held)
    assert shop.load("people", "2017-03-03", **NIGHT).counts.accepted == 1
    assert personal(shop, "people", "load03")[0][2:] == ("Ann Lee", "ann@example.com")


def test_a_row_of_events_is_replayed_with_its_personal_data(shop: Shop) -> None:
    shop.write("lines.csv", "id,sold_at,amount,note,customer\n1,2017-03-01 10:00:00,2.5,5 High Street,7\n")
    shop.load("orders", gate=Rule("amount > 2"), **NIGHT)
    shop.quarantine.request("shop.orders", "replay", shop.quarantine.held("shop.orders"))
    assert shop.load("orders", "2017-03-02", **NIGHT).counts.accepted == 1
    assert [row[2:] for row in personal(shop, "orders", "load02")] == [("5 High Street",)]


def test_what_can_not_be_parsed_is_told_without_its_text(shop: Shop) -> None:
    shop.feeds["people"] = PEOPLE | {"max_rejected": 0.0}
    shop.write("customers.csv", "id,city,name,mail\nx,Bonn,Cy Orr,cy@example.com\n1,Rome\n")
    told = shop.fail("people", **NIGHT)
    assert "Cy" not in told
    assert "Rome" not in told
    shop.write("customers.csv", 'id,city,name,mail\n1,Rome,"Ann Lee,ann@example.com\n2,Oslo,Bob,b\n')
    assert "Ann" not in shop.fail("people", **NIGHT)


def test_a_column_nobody_declared_does_not_land(shop: Shop) -> None:
    shop.write("customers.csv", "id,city,name,mail,mobile\n1,Rome,Ann Lee,ann@example.com,0171\n")
    result = shop.load("people", **NIGHT)
    assert result.drift == ["+ mobile VARCHAR: new"]
    assert result.manifest is not None
    assert "mobile" not in result.manifest.columns


def test_what_landed_in_the_clear_must_go_before_it_becomes_personal(shop: Shop) -> None:
    shop.feeds["people"] = PEOPLE | {"pii": {}}
    shop.write("customers.csv", "id,city,name,mail\n1,Rome,Ann Lee,ann@example.com\n")
    shop.load("people")
    shop.feeds["people"] = PEOPLE
    assert "mail, name landed in the clear" in shop.fail("people", "2017-03-02", **NIGHT)
