"""CSV and JSON lines: every line is a row or a reject with line and column, and no value changes on the way."""

import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import yaml
from landing_kit import LINES, Shop

MakeShop = Callable[..., Shop]
JSON = LINES | {"path": "lines.jsonl"}
GOOD = "id,sold_at,amount,note\n1,2017-02-01 10:00:00,2.50,a\n2,2017-02-02 11:00:00,3.25,b\n"


def test_a_csv_whose_header_names_the_columns_in_another_order_lands_right(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", "note,amount,id,sold_at\na,2.50,1,2017-02-01 10:00:00\n")

    here.load("lines")

    assert here.landed("lines", "id, cast(sold_at as varchar), amount, note") == [(1, "2017-02-01 10:00:00", 2.5, "a")]


@pytest.mark.parametrize("file", ["lines.csv.gz", "lines.csv.zst", "lines.jsonl.gz", "lines.jsonl.zst"])
def test_compressed_text_is_read_like_plain_text(shop: MakeShop, file: str) -> None:
    here = shop(lines=LINES | {"path": file})
    rows = "select * from (values (1, timestamp '2017-02-01 10:00:00', 2.5, 'a,b'), (2, timestamp '2017-02-02', 3.25, null)) t(id, sold_at, amount, note)"  # noqa: E501
    kind = "format csv, header" if "csv" in file else "format json"
    with duckdb.connect() as con:
        con.execute(f"copy ({rows}) to '{here.data / file}' ({kind}, compression {'gzip' if 'gz' in file else 'zstd'})")

    result = here.load("lines")

    assert result.counts.accepted == 2
    assert here.landed("lines", "id, amount, note") == [(1, 2.5, "a,b"), (2, 3.25, None)]


def test_quoted_fields_may_hold_newlines_delimiters_and_quotes(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", 'id,sold_at,amount,note\n1,2017-02-01,1,"two\nlines"\n2,2017-02-01,1,"a, ""b"""\n')

    here.load("lines")

    assert here.landed("lines", "id, note") == [(1, "two\nlines"), (2, 'a, "b"')]


def test_lines_that_are_no_row_are_rejected_with_line_and_column_and_the_others_land(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write(
        "lines.csv",
        'id,sold_at,amount,note\n1,2017-02-01,1,"two\nlines"\n2,2017-02-01,dear,b\n\n3,soon,1,c\n4,2017-02-01,1\n'
        '5,2017-02-01,1,e,extra\n6,2017-02-01,1,"f"f\n7,2017-02-01,1,g\n',
    )

    result = here.load("lines")

    assert here.landed("lines", "id") == [(1,), (7,)]
    assert (result.counts.read, result.counts.accepted, result.counts.rejected) == (7, 2, 5)
    assert here.rejected("lines") == [
        (4, "amount", "2,2017-02-01,dear,b"),
        (6, "sold_at", "3,soon,1,c"),
        (7, "note", "4,2017-02-01,1"),
        (8, None, "5,2017-02-01,1,e,extra"),
        (9, "note", '6,2017-02-01,1,"f"f'),
    ]


@pytest.mark.parametrize(
    ("null", "nothing"),
    [('{null: "NULL"}', {"NULL"}), ('{null: ["", "NULL"]}', {"", "NULL"}), ("{}", {""})],
)
def test_texts_that_mean_null_are_null_and_no_others(shop: MakeShop, null: str, nothing: set[str]) -> None:
    here = shop(lines=LINES | {"csv": yaml.safe_load(null)})
    given = {1: "", 2: "NULL", 3: "null", 4: "NULLS"}
    here.write(
        "lines.csv", "id,sold_at,amount,note\n" + "".join(f"{id_},2017-02-01,1,{note}\n" for id_, note in given.items())
    )

    here.load("lines")

    assert dict(here.landed("lines", "id, note")) == {
        id_: None if note in nothing else note for id_, note in given.items()
    }


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        ("BIGINT", "12.7", "12"),
        ("BIGINT", "1_000", "12.0"),
        ("DECIMAL(19, 4)", "1.23456", "1.2345"),
        ("DATE", "2017-02-01 10:30:00", "2017-02-01 00:00:00"),
        ("DOUBLE", "nan", "-1e3"),
        ("BOOLEAN", "maybe", "true"),
    ],
)
@pytest.mark.parametrize("path", ["lines.csv", "lines.jsonl"])
def test_a_value_that_a_cast_would_change_is_rejected_and_not_rounded(
    shop: MakeShop, kind: str, bad: str, good: str, path: str
) -> None:
    here = shop(lines=LINES | {"path": path, "columns": LINES["columns"] | {"note": kind}})
    if path == "lines.csv":
        here.write(path, f"id,sold_at,amount,note\n1,2017-02-01,1,{good}\n2,2017-02-01,1,{bad}\n3,2017-02-01,1,\n")
    else:
        row = '{{"id": {}, "sold_at": "2017-02-01", "amount": 1, "note": {}}}\n'
        here.write(path, row.format(1, f'"{good}"') + row.format(2, f'"{bad}"') + row.format(3, "null"))

    here.load("lines")

    assert here.landed("lines", "id, note is null") == [(1, False), (3, True)]
    assert [(line, column) for line, column, _ in here.rejected("lines")] == [(3 - ("json" in path), "note")]


def test_numbers_too_long_for_a_double_keep_every_digit(shop: MakeShop) -> None:
    here = shop(lines=JSON)
    here.write("lines.jsonl", '{"id": 9007199254740993, "sold_at": "2017-02-01", "amount": 1, "note": "x"}\n')

    here.load("lines")

    assert here.landed("lines", "id") == [(9007199254740993,)]


def test_rejected_lines_are_not_rejected_again_the_next_night(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    bad = "x,2017-02-01,1,bad\n"
    here.write("lines.csv", GOOD + bad + bad)
    first = here.load("lines").counts

    here.write("lines.csv", bad.join([GOOD, "3,2017-03-02,1,c\n", "", ""]))
    second = here.load("lines", "2017-03-02").counts

    assert (first.read, first.accepted, first.rejected) == (4, 2, 2)
    # the file has three such lines now: two are known, the third is a line of its own
    assert (second.accepted, second.rejected, second.already_landed) == (1, 1, 2)
    assert second.balanced()
    assert len(here.rejected("lines")) == 3


def test_more_bad_lines_than_allowed_fail_the_feed_and_name_the_first(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"max_rejected": 0.1})
    rows = "".join(f"{i},2017-02-01,1,x\n" for i in range(8))
    here.write("lines.csv", f"id,sold_at,amount,note\n{rows}8,2017-02-01,dear,x\n9,2017-02-01,dear,x\n")

    told = here.fail("lines")

    assert "lines.csv: 2 of 10 lines can't be parsed, more than the 10% allowed" in told
    assert "lines.csv, line 10, column amount: not to be read as DOUBLE" in told
    assert here.landed("lines", "id") == []


def test_a_quote_that_never_closes_fails_the_feed_because_it_hides_rows(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", GOOD + '3,2017-02-03,1,"open\n4,2017-02-03,1,d\n5,2017-02-03,1,e\n')

    told = here.fail("lines")

    assert "lines.csv, line 4: a quote is opened and not closed" in told
    assert '3,2017-02-03,1,"open' in told


def test_a_missing_column_fails_with_the_diff(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", "id,sold_at,note\n1,2017-02-01,a\n")

    told = here.fail("lines")

    assert "file lines.csv: its shape changed" in told
    assert "- amount DOUBLE: missing" in told
    assert "clientele source accept shop.lines" in told


def test_another_delimiter_is_recognised_and_named(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", GOOD.replace(",", ";"))

    assert "the header looks separated by ';', not ','" in here.fail("lines")

    here.feeds["lines"] = LINES | {"csv": {"delimiter": ";"}}
    assert here.load("lines").counts.accepted == 2


def test_text_in_another_encoding_fails_until_the_encoding_is_declared(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"max_rejected": 0.01})
    here.write("lines.csv", GOOD + "3,2017-02-03,1,Zürich\n", encoding="latin-1")

    told = here.fail("lines")
    assert "lines.csv, line 4, column note: invalid encoding" in told
    assert "its text is not utf-8" in told

    here.feeds["lines"] = LINES | {"csv": {"encoding": "latin-1"}}
    here.load("lines")
    assert here.landed("lines", "note") == [("Zürich",), ("a",), ("b",)]


def test_utf16_and_a_byte_order_mark_are_read(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"csv": {"encoding": "utf-16"}}, marked=LINES | {"path": "marked.csv"})
    here.write("lines.csv", GOOD, encoding="utf-16")
    here.write("marked.csv", GOOD, encoding="utf-8-sig")

    assert here.load("lines").counts.accepted == 2
    assert here.load("marked").counts.accepted == 2


@pytest.mark.parametrize("text", ["id,sold_at,amount,note\n", "id,sold_at,amount,note"])
def test_a_day_without_rows_is_a_header_and_no_error(shop: MakeShop, text: str) -> None:
    here = shop(lines=LINES)
    here.write("lines.csv", text)

    assert here.load("lines").counts.read == 0


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("lines.csv", b"", "is empty (0 bytes)"),
        ("lines.csv.gz", gzip.compress(b"", mtime=0), "its first line, the header, is missing"),
        ("lines.csv.gz", gzip.compress(GOOD.encode() * 50, mtime=0)[:-20], "damaged or truncated"),
        ("lines.csv", b"id,sold_at,,note\n1,2017-02-01,1,a\n", "column names must be there and differ"),
        ("lines.csv", b"id,sold_at,amount,note,id\n", "column names must be there and differ, but 'id'"),
        ("lines.csv", b"id,sold_at,amount,note\r\n1,2017-02-01,1,a\n2,2017-02-01,1,b\r\n", "end in different ways"),
        ("lines.xls", b"?", "unknown format"),
    ],
)
def test_a_file_that_can_not_be_taken_apart_is_named_with_the_reason(
    shop: MakeShop, file: str, content: bytes, told: str
) -> None:
    here = shop(lines=LINES | {"path": file})
    (here.data / file).write_bytes(content)

    message = here.fail("lines")

    assert told in message
    assert file in message


def test_a_missing_file_and_a_missing_folder_are_named(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    assert f"no file lines.csv in {here.data}" in here.fail("lines")

    here.data.rmdir()
    assert f"the source's folder {here.data} does not exist" in here.fail("lines")


def test_a_key_that_some_json_lines_lack_is_null_there(shop: MakeShop) -> None:
    here = shop(lines=JSON)
    here.write(
        "lines.jsonl",
        '{"id": 1, "sold_at": "2017-02-01", "amount": 2.5, "note": "a"}\n\n'
        '{"sold_at": "2017-02-01", "id": 2, "amount": null}\n',
    )

    result = here.load("lines")

    assert here.landed("lines", "id, amount, note") == [(1, 2.5, "a"), (2, None, None)]
    assert (result.counts.read, result.counts.rejected) == (2, 0)


def test_a_json_value_of_another_type_is_a_reject_and_no_null(shop: MakeShop) -> None:
    here = shop(lines=JSON)
    good = '{"id": 1, "sold_at": "2017-02-01", "amount": 2.5, "note": "a"}'
    bad = [
        '{"id": true, "sold_at": "2017-02-01", "amount": 1, "note": "b"}',
        '{"id": 3, "sold_at": "2017-02-01", "amount": {"euro": 1}, "note": "c"}',
        '{"id": 4, "sold_at": [1], "amount": 1, "note": "d"}',
        "[1, 2]",
        '{"id": 6',
    ]
    here.write("lines.jsonl", "\n".join([good, "", *bad]) + "\n")

    result = here.load("lines")

    assert here.landed("lines", "id") == [(1,)]
    columns = ["id", "amount", "sold_at", None, None]
    assert here.rejected("lines") == [(n + 3, column, bad[n]) for n, column in enumerate(columns)]
    assert (result.counts.read, result.counts.accepted, result.counts.rejected) == (6, 1, 5)


def test_a_key_that_no_json_line_has_is_a_missing_column(shop: MakeShop) -> None:
    here = shop(lines=JSON)
    here.write("lines.jsonl", '{"id": 1, "sold_at": "2017-02-01", "note": "a"}\n')

    assert "- amount DOUBLE: missing" in here.fail("lines")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_several_files_by_a_pattern_are_one_feed_with_rows_that_stay_apart(shop: MakeShop, kind: str) -> None:
    here = shop(lines=LINES | {"path": f"lines_*.{kind}"})
    for n in (1, 2, 3):
        one = f"select * from (values ({n}, timestamp '2017-02-0{n}', {n}::double, 'n{n}'), (10 + {n}, timestamp '2017-02-0{n}', 0.5::double, null)) t(id, sold_at, amount, note)"  # noqa: E501
        options = {"csv": "format csv, header", "jsonl": "format json", "parquet": "format parquet"}[kind]
        with duckdb.connect() as con:
            con.execute(
                f"copy (select cast(id as bigint) as id, sold_at, amount, note from ({one}))"
                f" to '{here.data / f'lines_{n}.{kind}'}' ({options})"
            )

    result = here.load("lines")

    assert here.landed("lines", "id, amount") == [(1, 1), (2, 2), (3, 3), (11, 0.5), (12, 0.5), (13, 0.5)]
    assert here.landed("lines", "count(distinct _row)") == [(6,)]
    assert result.manifest
    assert [Path(file.path).name for file in result.manifest.files] == [f"lines_{n}.{kind}" for n in (1, 2, 3)]


def test_files_of_one_pattern_that_differ_are_refused(shop: MakeShop) -> None:
    here = shop(
        headers=LINES | {"path": "h_*.csv"}, shapes=LINES | {"path": "s_*.parquet"}, formats=LINES | {"path": "f_*"}
    )
    here.write("h_1.csv", GOOD)
    here.write("h_2.csv", "id,sold_at,amount\n")
    here.parquet("s_1.parquet", "select 1 as id")
    here.parquet("s_2.parquet", "select 'x' as id")
    here.write("f_1.csv", GOOD)
    here.write("f_2.jsonl", "{}\n")

    assert "h_1.csv and h_2.csv have different headers" in here.fail("headers")
    assert "s_1.parquet and s_2.parquet differ" in here.fail("shapes")
    assert "f_1.csv and f_2.jsonl have different formats" in here.fail("formats")


def test_a_truncated_parquet_file_is_named_as_damaged(shop: MakeShop) -> None:
    here = shop(lines=LINES | {"path": "lines.parquet"})
    path = here.parquet(
        "lines.parquet",
        "select range as id, timestamp '2017-02-01' as sold_at, 1.0::double as amount, 'x' as note from range(5000)",
    )
    path.write_bytes(path.read_bytes()[:-200])

    told = here.fail("lines")

    assert "file lines.parquet can't be read" in told
    assert "damaged or truncated" in told


def test_a_bad_line_far_down_a_large_file_has_its_own_line_number(shop: MakeShop) -> None:
    here = shop(lines=LINES)
    amount = "case when range = 450000 then '12,5' else '1' end as amount"
    rows = (
        f"select range as id, timestamp '2017-02-01' as sold_at, {amount}, repeat('x', 40) as note from range(500000)"
    )
    with duckdb.connect() as con:
        con.execute(f"copy ({rows}) to '{here.data / 'lines.csv'}' (header)")

    result = here.load("lines")

    assert (result.counts.accepted, result.counts.rejected) == (499_999, 1)
    assert [(line, column) for line, column, _ in here.rejected("lines")] == [(450_002, "amount")]
