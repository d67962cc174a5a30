"""A night reads its window only, sees one moment of the whole source, and misses nothing that was committed late."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from postgres_kit import CUSTOMERS, LINES, TABLES, PostgresShop

from dagster_project.landing.batch import Outcome
from dagster_project.landing.window import Cursor, Window

MakeShop = Callable[..., PostgresShop]


def test_a_table_lands_in_its_window_and_the_manifest_says_what_was_read(shop: MakeShop) -> None:
    here = shop(TABLES + "insert into lines values (3, '2017-03-02 12:00+00', 3)", lines=LINES)

    first = here.load("lines", "2017-03-01")

    # 23:30 UTC is the next day in Rome
    assert here.landed("lines", "id, cast(amount as varchar), _business_date::varchar") == [(1, "1.1000", "2017-03-01")]
    assert first.manifest is not None
    (table,) = first.manifest.tables
    assert table.path == f"127.0.0.1:{here.server.port}/{here.database}/public.lines"
    assert table.rows == first.counts.read == 1
    asked = here.server.ask(f"select now() - timestamp '{table.snapshot_at}' at time zone 'UTC' between '0s' and '60s'")
    assert asked == [(True,)]
    assert first.manifest.months == {"2017-03-01": {"rows": "1", "amount": "1.1000"}}
    again = here.load("lines", "2017-03-02")
    assert (again.counts.read, again.counts.already_landed, again.counts.accepted) == (3, 1, 2)
    assert here.load("lines", "2017-03-02").outcome is Outcome.NOTHING_NEW


def test_the_database_sends_the_window_only_and_finds_it_by_its_index(shop: MakeShop) -> None:
    here = shop(
        "create table lines (id bigint primary key, sold_at timestamptz, amount numeric(12, 2));"
        " insert into lines select i, timestamptz '2016-01-01 12:00+00' + i * interval '10 minutes', 1"
        " from generate_series(1, 60000) i; create index on lines (sold_at); analyze lines",
        lines=LINES | {"lookback_days": 1},
    )
    here.load("lines", "2017-02-01")

    night = here.load("lines", "2017-02-02")

    assert night.manifest is not None
    assert night.manifest.tables[0].rows == night.counts.read == 2 * 144
    source = here.source
    cursor = Cursor.of(source, source.feeds["lines"], source.feeds["lines"].columns)
    assert cursor is not None
    window = Window(night.manifest.watermark_from, datetime.fromisoformat("2017-02-03"))
    with here.server.connect(here.database) as other, other.cursor() as asking:
        asking.adbc_statement.set_options(**{"adbc.postgresql.use_copy": False})
        asking.execute(f"explain select * from lines q where {cursor.within(window)}")
        plan = str(asking.fetchall())
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan


def test_a_query_is_a_feed_too(shop: MakeShop) -> None:
    query = (
        "select l.id, l.amount, (l.sold_at at time zone 'Europe/Rome')::date as day from lines l where id < 3 -- all"
    )
    feed = LINES | {
        "query": query,
        "cursor": "day",
        "columns": {"id": "INTEGER", "day": "DATE", "amount": "DECIMAL(9,2)"},
    }
    del feed["table"]
    here = shop(TABLES, lines=feed)

    here.load("lines", "2017-03-02")

    assert here.landed("lines", "id, day::varchar, amount::varchar") == [
        (1, "2017-03-01", "1.10"),
        (2, "2017-03-02", "2.20"),
    ]


def test_a_snapshot_lands_changes_only(shop: MakeShop) -> None:
    here = shop(TABLES, customers=CUSTOMERS)
    here.load("customers", "2017-03-01")
    here.run("update customers set city = 'Bari' where id = 7; delete from customers where id = 8")

    counts = here.load("customers", "2017-03-02").counts

    assert (counts.read, counts.accepted, counts.deleted) == (1, 1, 1)
    assert here.landed("customers", "id, city, _op") == [
        (7, "Bari", "update"),
        (7, "Rome", "insert"),
        (8, "Oslo", "delete"),
        (8, "Oslo", "insert"),
    ]


def test_all_feeds_of_a_load_show_one_moment(shop: MakeShop) -> None:
    here = shop(TABLES, lines=LINES, customers=CUSTOMERS)
    here.new_load()
    here.try_feed("lines", "2017-03-02")
    here.run("insert into customers values (9, 'Bonn'); insert into lines values (4, '2017-03-01 11:00+00', 9)")

    here.try_feed("customers", "2017-03-02")

    assert here.landed("customers", "id") == [(7,), (8,)]
    assert here.load("customers", "2017-03-02").counts.accepted == 1
    assert here.load("lines", "2017-03-02").counts.accepted == 1


def test_a_long_transaction_on_the_other_side_neither_blocks_nor_tears_and_what_it_commits_late_is_taken(
    shop: MakeShop,
) -> None:
    here = shop(TABLES, lines=LINES)
    with here.server.connect(here.database) as other, other.cursor() as cursor:
        cursor.execute("insert into lines values (5, '2017-03-01 09:00+00', 5)")
        cursor.execute("update lines set amount = 99 where id = 1")
        meanwhile = here.load("lines", "2017-03-02").counts
        other.rollback()
        cursor.execute("insert into lines values (6, '2017-03-01 09:30+00', 6)")
        here.load("lines", "2017-03-03")
        other.commit()

    # its time lies before the watermark: the look-back reaches it
    late = here.load("lines", "2017-03-04").counts

    assert meanwhile.accepted == 2
    assert late.accepted == 1
    assert here.landed("lines", "id, amount::varchar") == [(1, "1.1000"), (2, "2.2000"), (6, "6.0000")]


def test_the_reading_transaction_can_change_nothing(shop: MakeShop) -> None:
    feed = LINES | {"query": "select nextval('seq') as id, timestamptz '2017-03-01' as sold_at, 1.0 as amount"}
    del feed["table"]
    here = shop("create sequence seq", lines=feed)

    result = here.fail("lines")

    assert "read-only transaction" in result.message


def test_memory_does_not_follow_the_table(shop: MakeShop, tmp_path: Path) -> None:
    """Two batches' worth of memory for 40: the stream is written as it comes (2M rows measured the same)."""
    here = shop(
        "create table wide as select i as id, repeat(md5(i::text), 20) as t from generate_series(1, 200000) i",
        wide=CUSTOMERS | {"table": "public.wide", "columns": {"id": "INTEGER", "t": "VARCHAR"}},
    )
    code = (
        "import os, resource, sys; from pathlib import Path;"
        " from dagster_project.landing.postgres.reader import _write;"
        " from dagster_project.landing.postgres.session import Session;"
        " from dagster_project.landing.postgres.dsn import Dsn;"
        " from dagster_project.landing.source import read_source;"
        " source = read_source(Path(sys.argv[1]));"
        " session = Session.open(source, Dsn.parse(source.resolved_dsn(), 'shop'));"
        " write = lambda n: _write(session, f'select * from wide where id <= {n}', Path(sys.argv[2]));"
        " peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        " write(50000); before = peak(); assert write(200000) == 200000; print(peak() - before)"
    )
    assert here.source.name == "shop"
    file = tmp_path / "sources" / "shop" / "source.yml"
    done = subprocess.run(
        [sys.executable, "-c", code, file, tmp_path / "w.parquet"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 60_000, f"{done.stdout.strip()} KB more for 100 MB more"
