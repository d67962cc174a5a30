"""`clientele source new --from postgresql://...`: a draft of the tables of a real database, and its check."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.landing.source import read_source
from tests.support.installation import Installation
from tests.support.postgres import Server

pytestmark = pytest.mark.long

TABLES = """
    create table customers (id bigint primary key, email text, city varchar(40));
    insert into customers values (1, 'ada@example.org', 'London'), (2, 'max@example.org', 'Berlin');
    create table order_lines (
        order_id bigint, line_no int, ordered_at timestamptz not null, customer_id bigint, sku text,
        quantity int, net numeric, primary key (order_id, line_no)
    );
    insert into order_lines values
        (1, 1, '2024-03-01 09:12:00+01', 1, '007', 2, 9.00), (1, 2, '2024-03-01 09:12:00+01', 1, '008', 1, 4.5);
    create view "Order Totals" as select order_id, sum(net) as total from order_lines group by order_id;
    create schema secret;
    create table secret.salaries (name text, salary numeric)
"""


@pytest.fixture
def till(postgres: Server, tmp_path: Path) -> Installation:
    """An installation without any source, with the variable of a source `till` set to a database."""
    database = postgres.database(TABLES)
    reader = f"reader_{database}"
    postgres.run(
        f"create role {reader} login password 'open sesame'; grant select on all tables in schema public to {reader}",
        database,
    )
    folders = {f"CLIENTELE_{name.upper()}_DIR": str(tmp_path / name) for name in ("sources", "expectations", "dbt")}
    dsn = postgres.dsn(database, reader, "open%20sesame")
    return Installation(tmp_path / "home", tmp_path, {**folders, "CLIENTELE_SOURCES": "till", "TILL_PG_DSN": dsn})


def test_the_tables_of_a_database_are_drafted_and_pass_their_check(till: Installation, tmp_path: Path) -> None:
    told = till.run("source", "new", "till", "--from", till.env["TILL_PG_DSN"], check=0)
    source = read_source(tmp_path / "sources" / "till" / "source.yml")
    customers, lines, totals = (source.feeds[name] for name in ("customers", "order_lines", "order_totals"))
    assert source.dsn == "${TILL_PG_DSN}"
    assert (customers.table, customers.extract, customers.key) == ("public.customers", "snapshot", ("id",))
    assert customers.pii == {"email": "email"}
    assert (lines.canonical, lines.key, lines.cursor) == (("order_lines",), ("order_id", "line_no"), "ordered_at")
    assert lines.columns["sku"] == "VARCHAR", "text stays text, whatever stands in it"
    assert lines.columns["net"] == "DECIMAL(19,4)"
    assert totals.table == "public.Order Totals"
    assert "salaries" not in source.feeds, "only what the user may read"
    assert till.run("source", "check", check=0).out.count("as agreed") == 3

    written = [path.read_text() for path in tmp_path.rglob("*.*") if path.suffix in {".yml", ".md", ".json", ".sql"}]
    assert not [text for text in [told.out, told.err, *written] if "sesame" in text], "the password is nowhere"


def test_the_variable_may_hold_the_connection_string(till: Installation) -> None:
    told = till.run("source", "new", "till", "--from", "postgresql:", "--json", check=0).json
    assert {feed["feed"]: feed["rows"] for feed in told["feeds"]} == {
        "customers": 2,
        "order_lines": 2,
        "order_totals": 1,
    }


def test_a_database_that_is_not_there_is_told_without_its_password(till: Installation, tmp_path: Path) -> None:
    done = till.run("source", "new", "till", "--from", "postgresql://ada:sesame@127.0.0.1:1/shop", check=1)
    assert "127.0.0.1" in done.err
    assert "sesame" not in done.text
    assert not (tmp_path / "sources").exists()
