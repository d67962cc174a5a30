"""Every value of PostgreSQL lands as it is, or its row is set aside by name; none becomes another or NULL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from postgres_kit import CUSTOMERS, PostgresShop

MakeShop = Callable[..., PostgresShop]

# PostgreSQL type, value there, type declared, value landed as text
VALUES = [
    ("numeric(12,2)", "1234567890.12", "DECIMAL(19,4)", "1234567890.1200"),
    ("numeric", "-0.0001", "DECIMAL(19,4)", "-0.0001"),
    ("numeric", "12345678901234567890123456789012345678901234567890.5", "VARCHAR", None),
    ("integer", "-2147483648", "INTEGER", "-2147483648"),
    ("smallint", "7", "BIGINT", "7"),
    ("bigint", "9223372036854775807", "BIGINT", "9223372036854775807"),
    ("integer", "7", "DECIMAL(19,4)", "7.0000"),
    ("money", "$1,234.50", "DECIMAL(19,4)", "1234.5000"),
    ("real", "0.1", "FLOAT", "0.1"),
    ("double precision", "1e300", "DOUBLE", "1e+300"),
    ("boolean", "true", "BOOLEAN", "true"),
    ("date", "2017-03-01", "DATE", "2017-03-01"),
    ("date", "infinity", "DATE", "infinity"),
    ("timestamp", "-infinity", "TIMESTAMP", "-infinity"),
    ("timestamp(3)", "2017-03-01 10:11:12.345", "TIMESTAMP", "2017-03-01 10:11:12.345"),
    ("timestamptz", "2017-03-26 01:30:00.123456+01", "TIMESTAMPTZ", "2017-03-26 00:30:00.123456+00"),
    ("time", "23:59:59.5", "TIME", "23:59:59.5"),
    ("uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "UUID", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ("integer[]", "{1,NULL,3}", "VARCHAR", "{1,NULL,3}"),
    ("text[]", '{"a b","c,d"}', "VARCHAR", '{"a b","c,d"}'),
    ("json", '{"a": 1.0}', "VARCHAR", '{"a": 1.0}'),
    ("jsonb", '{"b":2,"a":"ü"}', "VARCHAR", '{"a": "ü", "b": 2}'),
    ("bytea", "\\x00ff41", "BLOB", "\\x00\\xFFA"),
    ("interval", "1 mon 2 days", "VARCHAR", "1 mon 2 days"),
    ("size", "big", "VARCHAR", "big"),
    ("cents", "12.34", "DECIMAL(19,4)", "12.3400"),
    ("text", "x" * 3_000_000, "VARCHAR", None),
    ("varchar(20)", "quote ' and \n line", "VARCHAR", None),
]


def test_values_of_every_type_land_exactly(shop: MakeShop) -> None:
    columns = {f"v{n}": declared for n, (_, _, declared, _) in enumerate(VALUES)}
    table = ", ".join(f"v{n} {kind}" for n, (kind, *_) in enumerate(VALUES))
    values = ", ".join("'" + value.replace("'", "''") + "'" for _, value, *_ in VALUES)
    here = shop(
        "create type size as enum ('big', 'small'); create domain cents as numeric(10, 2);"
        f" create table wide (id int, {table}); insert into wide values (1, {values}); insert into wide values (2)",
        wide=CUSTOMERS | {"table": "public.wide", "columns": {"id": "INTEGER", **columns}},
    )

    here.load("wide")

    found, nulls = here.landed("wide", "cast(columns('v[0-9]+') as varchar)")
    expected = [value if landed is None else landed for _, value, _, landed in VALUES]
    assert dict(zip(columns, found, strict=True)) == dict(zip(columns, expected, strict=True))
    assert set(nulls) == {None}
    declared = here.source.feeds["wide"].columns
    assert here.landed("wide", "typeof(columns('v[0-9]+'))")[0] == tuple(declared[name] for name in columns)


UNFIT = [
    ("numeric", "1.23456", "DECIMAL(19,4)"),
    ("numeric", "1e20", "DECIMAL(19,4)"),
    ("numeric", "NaN", "DECIMAL(19,4)"),
    ("bigint", "2147483648", "INTEGER"),
    ("date", "0044-03-15 BC", "DATE"),
]


@pytest.mark.parametrize(("kind", "value", "declared"), UNFIT)
def test_a_value_that_does_not_fit_is_set_aside_and_never_null(
    shop: MakeShop, kind: str, value: str, declared: str
) -> None:
    feed = CUSTOMERS | {"columns": {"id": "BIGINT", "v": declared}, "max_rejected": 0.5}
    here = shop(
        f"create table customers (id bigint, v {kind}); insert into customers values (1, '{value}'), (2, null)",
        customers=feed,
    )

    counts = here.load("customers").counts

    assert (counts.read, counts.accepted, counts.rejected) == (2, 1, 1)
    assert here.landed("customers", "id, v") == [(2, None)]
    here.feeds["customers"] = feed | {"max_rejected": 0.0}
    here.run("insert into customers select 3, v from customers where id = 1")
    result = here.fail("customers")
    assert f"row 3, column v: not to be read as {declared} at id 3" in result.message
    assert "raise `max_rejected`" in result.remedy


def test_a_cursor_without_end_is_set_aside(shop: MakeShop) -> None:
    feed: dict[str, Any] = CUSTOMERS | {"extract": "append", "cursor": "day", "max_rejected": 1.0}
    here = shop(
        "create table customers (id bigint, day date); insert into customers values (1, '-infinity'), (2, null),"
        " (3, '2017-03-01'), (4, 'infinity')",
        customers=feed | {"columns": {"id": "BIGINT", "day": "DATE"}},
    )

    counts = here.load("customers").counts

    assert (counts.accepted, counts.rejected) == (1, 1)
    assert counts.quarantined == 1
    assert here.landed("customers", "id") == [(3,)]
