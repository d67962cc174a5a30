"""Where DuckDB and Spark read the same words differently: what the lint refuses does differ, what it asks for does not.

Both engines are real; the expressions of macros are rendered from the project's own macros for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

from tests.support.portability import violations
from tests.support.spark import JAVA, QUICK, missing, needs_spark

pytestmark = needs_spark

DBT = Path(__file__).resolve().parents[2] / "dbt"
# name -> (what the lint refuses, what to write)
SILENT = {
    "integer cast": ("select cast(2.7 as integer)", "select cast(floor(2.7) as integer)"),
    "integer cast of a quotient": ("select cast(7 / 2.0 as integer)", "select cast(round(7 / 2.0, 0) as integer)"),
    "regexp_replace": ("select regexp_replace('a-b-c', '-', '')", "select replace('a-b-c', '-', '')"),
    "concat with NULL": ("select concat('a', null)", "select 'a' || coalesce(null, '')"),
    "a name in double quotes": ('select "a" from (select 1 as a) as t', "select a from (select 1 as a) as t"),
    "a backslash": (r"select length('a\\b')", "select length('a' || chr(92) || 'b')"),
    "place of NULLs": (
        "select max(n) from (select a, row_number() over (order by a) as n"
        " from (select 1 as a union all select null as a) as t) as r where a is null",
        "select max(n) from (select a, row_number() over (order by a nulls last) as n"
        " from (select 1 as a union all select null as a) as t) as r where a is null",
    ),
    "decimal division": (
        "select cast(1 as decimal(9, 2)) / nullif(cast(3 as decimal(9, 2)), 0)",
        "select cast(cast(1 as decimal(9, 2)) / nullif(cast(3 as decimal(9, 2)), 0) as decimal(19, 4))",
    ),
    "hash of a double": (
        "select md5(cast(cast(1e20 as double) as string))",
        "select md5(cast(cast(1.5 as decimal(9, 2)) as string))",
    ),
}
DAYS = ("2017-01-01", "2016-12-31", "2020-02-29", "2017-03-12", "2024-12-30")
MOMENTS = ("2017-07-01 12:00:00", "2017-03-26 01:30:00", "2017-10-29 01:30:00", "2017-12-31 23:59:59.999999")
SINCE = "\"timestamp '2017-01-01 00:00:00.9'\""
MACROS = {
    "hash_key": ["{{ hash_key([\"'system'\", \"cast(null as string)\", '7', \"date '2017-03-01'\"]) }}"],
    "iso_weekday": [f"{{{{ iso_weekday(\"date '{day}'\") }}}}" for day in DAYS],
    "iso_week": [f"{{{{ iso_week(\"date '{day}'\") }}}}" for day in DAYS],
    "first_of": [f"{{{{ first_of('{period}', \"date '{day}'\") }}}}" for day in DAYS for period in ("week", "month")],
    "add_days": [f"{{{{ add_days(\"date '{day}'\", '-3') }}}}" for day in DAYS],
    "add_months": [f"{{{{ add_months(\"date '{day}'\", 1) }}}}" for day in DAYS],
    "days_from": [f"{{{{ days_from(\"date '2017-01-31'\", \"date '{day}'\") }}}}" for day in DAYS],
    "retail_year_start": [f"{{{{ retail_year_start('{year}') }}}}" for year in (2012, 2017, 2023)],
    "local_time": [f"{{{{ local_time(\"timestamp '{at}'\", 'America/New_York') }}}}" for at in MOMENTS],
    "utc_time": [f"{{{{ utc_time(\"timestamp '{at}'\", 'Europe/London') }}}}" for at in MOMENTS],
    "seconds_from": [f"{{{{ seconds_from({SINCE}, \"timestamp '{at}'\") }}}}" for at in MOMENTS],
    "elapsed_days": [f"{{{{ elapsed_days({SINCE}, \"timestamp '{at}'\") }}}}" for at in MOMENTS],
    "minute_of_day": [f"{{{{ minute_of_day(\"timestamp '{at}'\") }}}}" for at in MOMENTS],
    "period_name": [f"{{{{ period_name('{level}', \"date '2021-01-03'\") }}}}" for level in ("day", "week", "quarter")],
    "price_of_one": [
        f"{{{{ price_of_one('cast({amount} as decimal(19, 4))', 'cast({pieces} as bigint)') }}}}"
        for amount, pieces in (("4.77", 8), ("-4.77", 8), ("4.77", -8), ("0", 8), ("4.77", 0), ("1", 3))
    ],
    "by_segment": [
        f"(select {end}(segment_kind || segment || told) from ("
        "{{ by_segment(\"(select 'x' as a, 'y' as b, 'z' as told) as r\", ['a', 'b'], ['told']) }}) as kinds)"
        for end in ("min", "max")
    ],
    "share_of_one": [
        f"{{{{ share_of_one('cast({parts} as bigint)', '{nth}') }}}}" for parts in (3, 7, 29, 14_477) for nth in (1, 2)
    ],
}  # fmt: skip


class Dispatch:
    """dbt's `adapter`, as far as the macros under test use it."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.module: Any = None

    def dispatch(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            found = getattr(self.module, f"{self.engine}__{name}", None) or getattr(self.module, f"default__{name}")
            return found(*args)

        return call


def rendered(engine: str, expression: str) -> str:
    """The SQL that the project's macros make of an expression on an engine."""
    files = [DBT / "macros" / f"{name}.sql" for name in ("dates", "keys", "shares", "landing", "periods", "segments")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    texts.append((DBT / "engines" / "spark" / "dialect.sql").read_text(encoding="utf-8"))
    adapter = Dispatch(engine)
    environment = Environment(extensions=["jinja2.ext.do"])
    template = environment.from_string(
        "".join(texts) + "{% macro asked() %}" + expression + "{% endmacro %}",
        globals={"adapter": adapter, "return": lambda value: value},
    )
    adapter.module = template.module
    return str(template.module.asked()).strip()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    from dagster_project.spark.session import SQL_SETTINGS

    patch = pytest.MonkeyPatch()
    for name, value in JAVA.items():
        patch.setenv(name, value)
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    for name, value in (SQL_SETTINGS | QUICK | {"spark.driver.memory": "512m"}).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()
    patch.undo()


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as con:
        con.execute("set TimeZone = 'UTC'")
        yield con


def on_duckdb(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    return _plain(con.execute(query).fetchall()[0][0])


def on_spark(session: Any, query: str) -> Any:
    return _plain(session.sql(query).collect()[0][0])


def _plain(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value


def test_spark_is_here_or_the_reason_is_told() -> None:
    assert missing() == ""


@pytest.mark.parametrize("name", SILENT)
def test_what_differs_is_refused_and_its_remedy_agrees(name: str, spark: Any, duck: duckdb.DuckDBPyConnection) -> None:
    refused, asked_for = SILENT[name]
    assert on_duckdb(duck, refused) != on_spark(spark, refused)
    assert violations(refused, refused)
    assert violations(asked_for, asked_for) == []
    assert on_duckdb(duck, asked_for) == on_spark(spark, asked_for)


@pytest.mark.parametrize("name", MACROS)
def test_a_macro_says_the_same_on_both_engines(name: str, spark: Any, duck: duckdb.DuckDBPyConnection) -> None:
    for expression in MACROS[name]:
        ours, theirs = (f"select {rendered(engine, expression)}" for engine in ("duckdb", "spark"))
        assert on_duckdb(duck, ours) == on_spark(spark, theirs), (ours, theirs)
