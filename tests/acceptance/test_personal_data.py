"""Personal data over nights: where it is, where it is not, and that a rebuild finds the same."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.installation import PROJECT, Installation, assert_same_tables
from tests.support.observe import served
from tests.support.people_shop import people_shop
from tests.support.search import files_holding

pytestmark = pytest.mark.long

CUSTOMERS = "number,city,first_name,last_name,mail,born"
ANN = "7,Rome,Annabel,Leetham,annabel@leetham.example,1970-05-17"
BOB = "8,Oslo,Bobwin,Foxworthy,bobwin@foxworthy.example,1981-11-30"
BAD = "9,Bonn,Cyrus,Orrwood,cyrus-orrwood.example,not-known-day"
ANN_UNREADABLE = "seven,Rome,Annabel,Leetham,annabel@leetham.example,1970-05-17"
UNREADABLE = "ten,Graz,Dorabella,Quicksand,dora@quicksand.example,1999-01-01"
VALUES = (
    "Annabel", "Leetham", "1970-05-17", "+4930123456", "Bobwin", "Foxworthy", "1981-11-30", "+4720987654", "Cyrus",
    "Orrwood", "not-known-day", "Dorabella", "Quicksand",
)  # fmt: skip
PRIVATE = {"pii.parquet", "pii.duckdb", "rows.parquet", "rejects.parquet"}


def write(shop: Installation, feed: str, *lines: str) -> None:
    (shop.data / f"{feed}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def people(shop: Installation) -> list[tuple[Any, ...]]:
    file = shop.warehouse.resolve().with_name("pii.duckdb")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with duckdb.connect(str(file), read_only=True) as con:
        return con.execute(
            "select customer_id, name, email, phone, birth_date::varchar from pii.customer order by customer_id"
        ).fetchall()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Three nights: known people and bad rows; a changed address and a new telephone; a deleted customer."""
    shop = people_shop(tmp_path_factory.mktemp("people"))
    write(shop, "customers", CUSTOMERS, ANN, BOB, BAD, UNREADABLE, ANN_UNREADABLE)
    write(shop, "phones", "customer,phone", "C7,+4930123456")
    write(shop, "lines", "id,sold_at,number,net", "1,2017-03-01 10:00:00,7,2.50", "2,2017-03-01 11:00:00,8,3.00")
    shop.load("2017-03-01")
    write(shop, "customers", CUSTOMERS, ANN.replace("annabel@", "ann@"), BOB, BAD, UNREADABLE, ANN_UNREADABLE)
    write(shop, "phones", "customer,phone", "C7,+4930123456", "C8,+4720987654")
    shop.load("2017-03-02")
    return shop


def test_each_customer_is_one_row_of_what_is_known_now(shop: Installation) -> None:
    assert people(shop) == [
        ("C7", "Annabel Leetham", "ann@leetham.example", "+4930123456", "1970-05-17"),
        ("C8", "Bobwin Foxworthy", "bobwin@foxworthy.example", "+4720987654", "1981-11-30"),
    ]


def test_personal_data_joins_the_star_by_durable_key(shop: Installation) -> None:
    with duckdb.connect() as con:
        con.execute(f"attach '{shop.warehouse.resolve()}' as warehouse (read_only)")
        con.execute(f"attach '{shop.warehouse.resolve().with_name('pii.duckdb')}' as pii (read_only)")
        found = con.execute(
            "select p.name, sum(f.net_amount)::varchar from warehouse.star.fct_sales_line f"
            " join pii.customer p using (customer_durable_key) group by all order by all"
        ).fetchall()
    assert found == [("Annabel Leetham", "2.5000"), ("Bobwin Foxworthy", "3.0000")]


def test_no_personal_value_is_anywhere_else(shop: Installation) -> None:
    held = files_holding(shop.home, VALUES)
    wrong = {str(path.relative_to(shop.home)): values for path, values in held.items() if path.name not in PRIVATE}
    assert not wrong
    assert {path.name for path in held} == PRIVATE  # the search finds what is there
    for path in held:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_no_personal_column_is_in_the_warehouse(shop: Installation) -> None:
    columns = shop.sql("select table_schema, table_name, column_name from information_schema.columns")
    forbidden = {"name", "first_name", "last_name", "mail", "email", "phone", "born", "birth_date", "address"}
    found = [column for column in columns if column[0] != "ops" and column[2] in forbidden]
    assert found == [("cube", "catalog", "name")]  # of a metric or a dimension


def test_rows_set_aside_are_masked_on_the_command_line(shop: Installation) -> None:
    shown = shop.run("quarantine", "show", "people_shop.customers", check=0).text
    assert "***" in shown
    assert "Cyrus" not in shown
    assert "Dorabella" not in shown
    assert "Cyrus" in shop.run("quarantine", "show", "people_shop.customers", "--unmask", check=0).text


def test_a_rebuild_finds_the_same_people(shop: Installation, tmp_path: Path) -> None:
    rebuilt = shop.copy(tmp_path / "rebuilt")
    rebuilt.load("2017-03-02", "--rebuild")
    assert people(rebuilt) == people(shop)
    assert_same_tables(rebuilt, shop)
    rebuilt.run("release", "rollback", check=0)
    assert people(rebuilt) == people(shop)


def test_a_customer_the_source_deleted_is_forgotten(shop: Installation, tmp_path: Path) -> None:
    later = shop.copy(tmp_path / "later")
    later.env["PEOPLE_SHOP_DIR"] = str(later.data)
    write(later, "customers", CUSTOMERS, ANN)
    write(later, "phones", "customer,phone", "C8,+4720987654")
    later.load("2017-03-03")
    assert people(later) == [
        ("C7", "Annabel Leetham", "annabel@leetham.example", None, "1970-05-17"),
        ("C8", None, None, "+4720987654", None),
    ]


ANNS = ("Annabel", "Leetham", "1970-05-17", "+4930123456")
# Ends the process, as a kill -9 would, before the n-th file is put in its place.
KILLED_AT = """
import os, signal, sys
from dagster_project.warehouse import erasure
n, replace = int(sys.argv.pop(1)), erasure._replace
def counted(path, write):
    global n
    n -= 1
    if n < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(path, write)
erasure._replace = counted
from dagster_project.cli import main
main()
"""


@pytest.fixture(scope="module")
def erased(shop: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Ann was erased; each of the first tries was killed one file later."""
    home = shop.copy(tmp_path_factory.mktemp("erased") / "home")
    home.env["PEOPLE_SHOP_DIR"] = str(home.data)
    dry = home.run("erase", "C7", "--dry-run", "--json", check=0).json
    assert len(dry["files"]) == 6  # rejected lines, two releases, two batches of customers, one of phones
    assert files_holding(home.home, ANNS).keys() == {home.home / name for name in dry["files"]}
    for n in (0, 1, 2):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED_AT, str(n), "erase", "C7", "--yes"],
            env=home.environment(), cwd=PROJECT, check=False, capture_output=True,
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    told = home.run("erase", "C7", "--yes", check=0).text
    assert "finished the erasure of" in told
    return home


def test_an_erased_person_is_in_no_byte_of_any_file(erased: Installation) -> None:
    assert not files_holding(erased.home, ANNS)


def test_an_erasure_leaves_everybody_else(erased: Installation, shop: Installation) -> None:
    assert people(erased) == [("C7", None, None, None, None), people(shop)[1]]
    assert_same_tables(erased, shop)
    others = [value for value in VALUES if value not in ANNS]
    kept = {str(path.relative_to(shop.home)): values for path, values in files_holding(shop.home, others).items()}
    assert {str(p.relative_to(erased.home)): v for p, v in files_holding(erased.home, others).items()} == kept


def test_who_was_set_aside_only_is_erased_too(erased: Installation, tmp_path: Path) -> None:
    home = erased.copy(tmp_path / "aside")
    home.run("erase", "9", "--source-system", "people_shop", "--yes", check=0)
    assert not files_holding(home.home, ("Cyrus", "Orrwood", "not-known-day"))
    told = home.run("erase", "nobody", "--yes", check=1).text
    assert "no customer 'nobody' with personal data is known" in told


def test_a_person_delivered_again_stays_erased_until_that_is_lifted(erased: Installation, tmp_path: Path) -> None:
    home = erased.copy(tmp_path / "again")
    home.env["PEOPLE_SHOP_DIR"] = str(home.data)
    write(home, "customers", CUSTOMERS, ANN.replace("Rome", "Pisa"), BOB, BAD, UNREADABLE, ANN_UNREADABLE)
    report = home.load("2017-03-03")
    assert [feed["accepted"] for feed in report["feeds"] if feed["feed"] == "people_shop.customers"] == [1]
    assert home.sql("select city from star.dim_customer where customer_id = 'C7' and is_current") == [("Pisa",)]
    assert not files_holding(home.home, ANNS)
    assert people(home)[0] == ("C7", None, None, None, None)
    (first, again) = home.sql("select customer, requested_by, files_rewritten from ops.erasure order by finished_at")
    assert first[:2] == again[:2]
    assert len(first[0]) == 64
    assert (first[2], again[2]) == (3, 0)  # what the killed ones had left over
    home.run("erase", "C7", "--lift", "--yes", check=0)
    write(home, "customers", CUSTOMERS, ANN, BOB, BAD, UNREADABLE)
    home.load("2017-03-04")
    assert people(home)[0][1:3] == ("Annabel Leetham", "annabel@leetham.example")


def test_a_person_is_erased_from_compacted_files(shop: Installation, tmp_path: Path) -> None:
    home = shop.copy(tmp_path / "compacted")
    home.env["PEOPLE_SHOP_DIR"] = str(home.data)
    write(home, "lines", "id,sold_at,number,net", "3,2017-04-01 10:00:00,7,4.50")
    home.load("2017-04-01")
    home.run("release", "prune", "--keep", "1", check=0)
    done = home.run("landing", "compact", "people_shop.customers", "--json", check=0).json
    assert [(row["feed"], row["batches"]) for row in done] == [("customers", 2)]
    assert files_holding(home.home, ANNS)

    home.run("erase", "C7", "--yes", check=0)

    assert not files_holding(home.home, ANNS)
    assert people(home) == [("C7", None, None, None, None), people(shop)[1]]
    before = served(home)
    home.load("2017-04-01", "--rebuild")
    assert served(home) != before
    assert people(home) == [("C7", None, None, None, None), people(shop)[1]]
    (private,) = (home.home / "landing/people_shop/customers").glob("compacted=*/pii.parquet")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
