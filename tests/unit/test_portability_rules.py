"""Every portability rule lets a portable query pass and catches what one engine alone would read so."""

from __future__ import annotations

import pytest

from tests.support.portability import violations

PORTABLE = [
    "select cast(cast(a as decimal(19, 4)) / nullif(b, 0) as decimal(19, 4)) as share from t",
    "select round(count(*) / 12.0, 2) as months from t",
    "select cast(floor(a / 12.0) as integer) as dozens from t",
    "select row_number() over (partition by a order by b desc, load_row) as n from t",
    "select lag(a) over (order by b nulls last) as earlier from t",
    "select row_number() over (order by case when a is null then 1 else 0 end, customer_durable_key) as n from t",
    "select sum(a) over (partition by b) as total from t",
    "select count(*) from (select distinct a, b from t) as pairs",
    "select a, sum(b) filter (where c > 0) as d from t group by grouping sets ((a), ())",
    "with days (a) as (select 1) select a from days where a in (1, 2) and (a > 0 or not (a = 3))",
    "select md5(cast(a as varchar) || chr(31)) as key from t",
    "select min(a) as a from t qualify row_number() over (order by load_id, load_row) = 1",
    "select a from t where exists (select 1 from u where u.a = t.a)",
]

CAUGHT = {
    "a cast by colons": ("select a::date from t", "write cast(x as type)"),
    "a quoted name": ('select "A" from t', "double quotes are a string on Spark"),
    "a backslash": (r"select regexp_replace(a, '\d', '') from t", "a backslash escapes on Spark"),
    "a list": ("select [1, 2] as numbers", "lists and structs"),
    "a struct": ("select {'a': 1} as record", "lists and structs"),
    "any_value": ("select any_value(a) from t", "any_value(): write min or max"),
    "arg_max": ("select arg_max(a, b) from t", "arg_max(): write max_by"),
    "concat": ("select concat(a, b) from t", "concat(): write || with coalesce"),
    "grouping_id": ("select grouping_id(a, b) from t group by cube (a, b)", "a sum over grouping(c)"),
    "a function nobody looked up": ("select damerau_levenshtein(a, b) from t", "or in PORTABLE if Spark has it too"),
    "the clock": ("select now() as loaded_at", "the variable load_date"),
    "the clock without brackets": ("select current_date as loaded_on", "the variable load_date"),
    "a star that leaves out": ("select * exclude (a) from t", "name the columns"),
    "a star that replaces": ("select * replace (1 as a) from t", "name the columns"),
    "distinct on": ("select distinct on (a) a, b from t", "row_number()"),
    "a distinct count of pairs": ("select count(distinct (a, b)) from t", "count over a subquery"),
    "a bare division": ("select a / b from t", "write x / nullif(y, 0)"),
    "a division by a cast": ("select a / cast(b as double) from t", "write x / nullif(y, 0)"),
    "a division by zero": ("select a / 0 from t", "write x / nullif(y, 0)"),
    "a bare remainder": ("select a % b from t", "write x / nullif(y, 0)"),
    "a division left as it comes": ("select a / nullif(b, 0) as share from t", "cast the result"),
    "a decimal made whole": ("select cast(cast(a as decimal(9, 2)) as integer) from t", "round or floor"),
    "a quotient made whole": ("select cast(a / 2.0 as bigint) from t", "round or floor"),
    "an integer division": ("select a // 2 from t", "write floor(x / nullif(y, 0))"),
    "a hashed double": ("select md5(cast(cast(a as double) as varchar)) from t", "hash a decimal"),
    "a rank without an order": ("select row_number() over (partition by a) from t", "order it"),
    "an order silent about NULLs": ("select lag(a) over (order by b) from t", "order by b: write nulls last"),
    "a choice without an else": (
        "select rank() over (order by case when b > 0 then 1 end) from t", "write nulls last"
    ),
    "a percentile silent about NULLs": (
        "select percentile_cont(0.5) within group (order by a) from t", "order by a: write nulls last"
    ),
    "a sample": ("select a from t using sample 10 rows", "a rebuild must give the same rows"),
    "an as-of join": ("select t.a from t asof join u on t.a >= u.a", "write it as a range join"),
    "an anti-join that minds NULLs": ("select a from t where a not in (select b from u)", "write not exists"),
    "an unordered limit": ("select a from t limit 1", "other rows each time"),
    "a type of one engine": ("select cast(a as hugeint) from t", "Spark has no such type"),
}  # fmt: skip


@pytest.mark.parametrize("query", PORTABLE)
def test_what_every_engine_reads_alike_passes(query: str) -> None:
    assert violations("select jinja", query) == []


@pytest.mark.parametrize("name", CAUGHT)
def test_what_one_engine_reads_alone_is_caught(name: str) -> None:
    query, told = CAUGHT[name]
    found = violations(query, query)
    assert any(told in problem for problem in found), found


def test_a_macro_may_emit_what_a_model_may_not_write() -> None:
    written = "{{ config(pre_hook=\"{{ forget('a') }}\") }} select {{ iso_weekday('a') }} as weekday from t"
    compiled = "select isodow(a) as weekday from t"
    assert violations(written, compiled) == []
    assert violations(compiled, compiled) == ["isodow(): write the macro iso_weekday"]
