"""A database that is down, refuses or breaks off: the feed says so, nothing half lands, the next load completes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from postgres_kit import CUSTOMERS, LINES, TABLES, PostgresShop

from dagster_project.landing.batch import Outcome
from dagster_project.landing.postgres import reader
from dagster_project.landing.postgres.session import Session
from tests.support.postgres import Server

MakeShop = Callable[..., PostgresShop]
Breaking = Callable[[PostgresShop], None]

MANY = """
create table customers as select i::bigint as id, repeat('x', 1000) as city from generate_series(1, 60000) i;
create table lines (id bigint, sold_at timestamptz, amount numeric(12, 2));
insert into lines values (1, '2017-03-01 10:00+00', 1);
"""


def end_connections(here: PostgresShop) -> None:
    here.server.run(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{here.database}'")


def kill_server(here: PostgresShop) -> None:
    here.server.kill()


@pytest.mark.parametrize("breaking", [end_connections, kill_server])
def test_a_connection_that_drops_half_way_lands_nothing_and_the_next_try_lands_all(
    shop: MakeShop, monkeypatch: pytest.MonkeyPatch, breaking: Breaking
) -> None:
    here = shop(MANY, customers=CUSTOMERS, lines=LINES)
    streamed = Session.stream

    def breaks_after_a_batch(session: Session, query: str) -> Iterator[Any]:
        for number, batch in enumerate(streamed(session, query)):
            if number == 2:
                breaking(here)
            yield batch

    monkeypatch.setattr(reader.Session, "stream", breaks_after_a_batch)
    result = here.fail("customers")
    monkeypatch.undo()

    assert result.transient
    assert f"table public.customers at 127.0.0.1:{here.server.port}/{here.database} can't be read: " in result.message
    assert "server closed the connection" in result.message
    assert "the server and the network" in result.remedy
    if here.server.process.poll() is not None:
        here.server.start()
    monkeypatch.setenv("SHOP_PG_DSN", here.server.dsn(here.database))
    # the same load goes on: a new transaction, the other feeds and the retry
    assert here.try_feed("lines").counts.accepted == 1
    assert here.try_feed("customers").counts.accepted == 60000


def test_a_server_that_is_down_is_told_and_worth_another_try(shop: MakeShop) -> None:
    here = shop(TABLES, lines=LINES)
    here.server.halt()
    try:
        result = here.fail("lines")
    finally:
        here.server.start()

    assert result.transient
    assert f"table public.lines at 127.0.0.1:{here.server.port}/{here.database} can't be read" in result.message
    assert "Connection refused" in result.message
    assert here.load("lines", "2017-03-02").counts.accepted == 2


@pytest.mark.parametrize(
    ("dsn", "reason", "remedy"),
    [
        (lambda s, d: s.dsn(d, password="Wr0ng&Secret"), "password authentication failed", "correct user or password"),
        (lambda s, _: s.dsn("nowhere"), 'database "nowhere" does not exist', "correct the database"),
        (lambda s, d: s.dsn(d, user="nobody"), "password authentication failed", "correct user or password"),
        (lambda s, d: s.dsn(d) + "?color=Wr0ng&Secret", "the connection string", "set it to postgresql://"),
        (lambda s, d: "Wr0ng&Secret", "`dsn` is neither a URI nor a list", "postgresql://USER"),
    ],
)
def test_a_refusal_is_told_without_the_password_and_not_tried_again(
    shop: MakeShop, monkeypatch: pytest.MonkeyPatch, dsn: Callable[[Server, str], str], reason: str, remedy: str
) -> None:
    here = shop(TABLES, lines=LINES)
    monkeypatch.setenv("SHOP_PG_DSN", dsn(here.server, here.database))

    here.new_load()
    result = here.try_feed("lines")

    assert result.outcome is Outcome.FAILED
    assert reason in result.message
    assert remedy in result.remedy
    assert not result.transient
    assert "Secret" not in result.told
    assert here.server.password not in result.told


def test_a_variable_that_is_not_set_is_named(shop: MakeShop, monkeypatch: pytest.MonkeyPatch) -> None:
    here = shop(TABLES, lines=LINES)
    monkeypatch.delenv("SHOP_PG_DSN")

    here.new_load()

    assert "the environment variable SHOP_PG_DSN is not set" in here.try_feed("lines").message


def test_a_missing_table_column_or_right_is_named_and_keeps_the_moment_of_the_others(
    shop: MakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = shop(
        TABLES + "create schema own; create table own.secret (id bigint, city text);"
        " create role clerk login password 'clerk'; grant select on lines to clerk;"
        " grant select (id) on customers to clerk",
        lines=LINES,
        customers=CUSTOMERS,
        gone=LINES | {"table": "public.gone"},
        hidden=CUSTOMERS | {"table": "own.secret"},
        narrow=LINES | {"columns": LINES["columns"] | {"tax": "DECIMAL(9, 2)", "amount": "DATE"}},
    )
    monkeypatch.setenv("SHOP_PG_DSN", here.server.dsn(here.database, "clerk", "clerk"))
    here.new_load()

    told = {feed: here.try_feed(feed).told for feed in ("gone", "customers", "hidden", "narrow")}
    here.run("insert into lines values (9, '2017-03-01 10:00+00', 9)")
    read = here.try_feed("lines").counts.read
    here.run("drop owned by clerk; drop role clerk")

    where = f"at 127.0.0.1:{here.server.port}/{here.database}"
    assert f"shop.gone: table public.gone {where} does not exist" in told["gone"]
    assert f"table public.customers {where}: the user may not read city" in told["customers"]
    assert "the user may not read id, city" in told["hidden"]
    assert "GRANT SELECT ON own.secret" in told["hidden"]
    assert f"table public.lines {where}: its shape changed against schema version 1" in told["narrow"]
    assert "- tax DECIMAL(9,2): missing" in told["narrow"]
    assert "~ amount: was DATE, is DECIMAL(12,2)" in told["narrow"]
    assert "clientele source accept shop.narrow" in told["narrow"]
    # the transaction was begun by the first of them and goes on: the row that came since is not seen
    assert read == 1


def test_a_slow_query_is_ended_and_says_what_to_raise(shop: MakeShop) -> None:
    slow = LINES | {"query": "select l.*, pg_sleep(3)::text as nap from lines l"}
    del slow["table"]
    here = shop(TABLES, lines=slow)
    here.said["statement_timeout_seconds"] = 1

    result = here.fail("lines")

    assert "canceling statement due to statement timeout" in result.message
    assert "`statement_timeout_seconds`" in result.remedy
    assert not result.transient


def test_a_query_that_is_none_says_where(shop: MakeShop) -> None:
    bad = LINES | {"query": "select id, sold_at, amount form lines"}
    del bad["table"]
    here = shop(TABLES, lines=bad)

    result = here.fail("lines")

    assert "the query of lines at 127.0.0.1" in result.message
    assert "correct `query` in source.yml" in result.remedy


def test_a_new_column_lands_as_it_is_and_is_reported(shop: MakeShop) -> None:
    here = shop(TABLES, customers=CUSTOMERS)
    here.load("customers", "2017-03-01")
    here.run("alter table customers add since date; update customers set since = '2016-05-04' where id = 7")

    result = here.load("customers", "2017-03-02")

    assert result.drift == ["+ since DATE: new"]
    assert result.counts.accepted == 1
    assert here.landed("customers", "id, since::varchar, _op")[0] == (7, "2016-05-04", "update")


def test_no_connection_outlives_its_load(shop: MakeShop) -> None:
    here = shop(TABLES, lines=LINES)
    here.new_load()
    here.try_feed("lines")
    open_now = f"select count(*) from pg_stat_activity where datname = '{here.database}'"
    assert here.server.ask(open_now) == [(1,)]

    here.sessions.close()

    assert here.server.ask(open_now) == [(0,)]
