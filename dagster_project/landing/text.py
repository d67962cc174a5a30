"""Reading CSV and JSON lines as text first, then as the agreed types, without losing a character on the way.

DuckDB casts '12.7' to the integer 13 and takes the time off a date without a word, so every value is compared
with its text before it is cast. A line that is no row never becomes a NULL: it goes to the rejects with file,
line, column, reason and its text.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.errors import FeedError
from dagster_project.landing import sql
from dagster_project.landing.source import Feed

MAX_LINE_BYTES = 10_000_000
# A row's ordinal across several files: file number x this + row number in the file.
ROWS_PER_FILE = 2**40
INTEGER = re.compile(r"^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$")
DECIMAL = re.compile(r"^DECIMAL\((\d+),\s*(\d+)\)$")
UNCLOSED_QUOTE = "UNQUOTED VALUE"


@dataclass(frozen=True)
class TextRows:
    """Text files as read: see `Opened`."""

    relation: str
    columns: dict[str, str]
    rejects: str
    hint: str = ""


def unreadable(column: str, kind: str) -> str:
    """SQL that is true where a column's text can't be read as the type without a change of value."""
    cast = f"try_cast({column} as {kind})"
    if kind == "VARCHAR":
        return "false"
    kept = f"{cast} is not null"
    if INTEGER.match(kind):
        kept += f" and regexp_full_match(trim({column}), '[+-]?[0-9]+(\\.0*)?')"
    elif decimal := DECIMAL.match(kind):
        whole = int(decimal[1]) - int(decimal[2])
        kept += f" and {cast} = try_cast({column} as decimal(38, {38 - whole}))"
    elif kind == "DATE":
        kept += f" and {cast} = try_cast({column} as timestamp)"
    elif kind in {"DOUBLE", "FLOAT"}:
        kept += f" and isfinite({cast})"
    return f"({column} is not null and not coalesce({kept}, false))"


def _relation(table: str, columns: dict[str, str]) -> str:
    values = ", ".join(f"cast({sql.quote(name)} as {kind}) as {sql.quote(name)}" for name, kind in columns.items())
    return f"(select {values}, _row from {table})"


def _types(declared: dict[str, str], found: Collection[str]) -> dict[str, str]:
    """What to read the found columns as, in the files' order; undeclared ones stay text."""
    return {name: declared.get(name, "VARCHAR") for name in found}


def read_csv(con: duckdb.DuckDBPyConnection, feed: Feed, paths: list[Path], declared: dict[str, str]) -> TextRows:
    """Read CSV files of one header, in whatever order it names the columns.

    Raises:
        FeedError: the header can't be used, or a quote that is never closed hides where rows end.
    """
    header = _common_header(con, feed, paths)
    columns = _types(declared, header)
    table, rejects = sql.quote(f"text_{feed.name}"), sql.quote(f"rejects_{feed.name}")
    _scan(con, feed, paths, dict.fromkeys(columns, "VARCHAR"), table)
    counted = ", ".join(f"count(*) filter ({unreadable(sql.quote(name), kind)})" for name, kind in columns.items())
    bad_counts = con.execute(f"select {counted} from {table}").fetchall()[0]
    if bad := [name for name, count in zip(columns, bad_counts, strict=True) if count]:
        _scan(con, feed, paths, dict.fromkeys(columns, "VARCHAR") | _readable_values(con, table, columns, bad), table)
    con.execute(
        f"create or replace temp table {rejects} as select s.file_path as file, cast(e.line as bigint) as line,"
        f" e.column_name, case when e.error_type = 'CAST' then {_what_was_agreed(columns)}"
        " else lower(e.error_type) || ': ' || e.error_message end as reason,"
        " coalesce(trim(e.csv_line, chr(10) || chr(13)), '') as raw, e.error_type as kind"
        " from reject_errors e join reject_scans s using (scan_id, file_id)"
        " qualify row_number() over (partition by s.file_path, e.line order by e.column_idx) = 1"
    )
    if sql.scalar(con, f"select count(*) from {rejects}"):
        _count_blank_lines(con, feed, paths, rejects)
    _refuse_unclosed_quote(con, feed, rejects)
    con.execute(f"alter table {rejects} drop column kind")
    return TextRows(_relation(table, columns), columns, rejects, _delimiter_hint(header, feed))


def _scan(con: duckdb.DuckDBPyConnection, feed: Feed, paths: list[Path], types: dict[str, str], table: str) -> None:
    """Read the files into a table; lines that don't fit go to reject_errors."""
    con.execute("drop table if exists reject_errors")
    con.execute("drop table if exists reject_scans")
    typed = ", ".join(f"{sql.literal(name)}: {sql.literal(kind)}" for name, kind in types.items())
    of_file = ", filename = '_file'" if feed.files else ""
    nulls = ", ".join(map(sql.literal, feed.csv.null))
    con.execute(
        f"create or replace temp table {table} as select {sql.names(types)},"
        f" {_ordinal(feed, paths, '_file')} as _row"
        f" from (select *, row_number() over () as _n from read_csv([{', '.join(map(sql.literal, paths))}],"
        f" header = true, auto_detect = false, columns = {{{typed}}}, {_dialect(feed)},"
        f" nullstr = [{nulls}], store_rejects = true, max_line_size = {MAX_LINE_BYTES}{of_file}))"
    )


def _ordinal(feed: Feed, paths: list[Path], file: str) -> str:
    """SQL of `_row` from the row's number `_n` over all files; of arriving files from the file and its number there."""
    if not feed.files:
        return "_n"
    listed = ", ".join(map(sql.literal, paths))
    number = f"_n - min(_n) over (partition by {file}) + 1"
    return f"cast(list_position([{listed}], {file}) as bigint) * {ROWS_PER_FILE} + {number}"


def _readable_values(
    con: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], bad: list[str]
) -> dict[str, str]:
    """Types that hold the readable values of the bad columns and nothing else.

    Only the reader itself knows the line a value stands in (quoted fields span lines), and it tells it of
    values that don't fit their type: so the lines are read again with a type that the bad values don't fit.
    """
    types = {}
    for number, name in enumerate(bad):
        column = sql.quote(name)
        con.execute(f"drop type if exists readable_{number}")
        con.execute(
            f"create type readable_{number} as enum (select distinct {column} from {table}"
            f" where {column} is not null and not {unreadable(column, columns[name])})"
        )
        types[name] = f"readable_{number}"
    return types


def _count_blank_lines(con: duckdb.DuckDBPyConnection, feed: Feed, paths: list[Path], rejects: str) -> None:
    """DuckDB leaves blank lines out when it numbers bad ones; editors do not."""
    con.execute(
        f"update {rejects} r set line = p.line from ("
        " select file, raw, n - min(n) over (partition by file) + 1 as line,"
        " row_number() over (partition by file, raw is null order by n) as filled"
        " from (select file, raw, row_number() over () as n"
        f" from {_lines(paths, feed.csv.encoding, strict=False)})) p"
        " where p.file = r.file and p.filled = r.line and p.raw is not null and starts_with(r.raw, p.raw)"
    )


def _what_was_agreed(columns: dict[str, str]) -> str:
    whens = " ".join(f"when {sql.literal(name)} then {sql.literal(kind)}" for name, kind in columns.items())
    return f"'not to be read as ' || case e.column_name {whens} end"


def _dialect(feed: Feed) -> str:
    return (
        f"delim = {sql.literal(feed.csv.delimiter)}, quote = {sql.literal(feed.csv.quote)},"
        f" escape = {sql.literal(feed.csv.quote)}, encoding = {sql.literal(feed.csv.encoding)}"
    )


def _refuse_unclosed_quote(con: duckdb.DuckDBPyConnection, feed: Feed, rejects: str) -> None:
    """A quote that is opened and not closed swallows the rows after it: nobody can say how many."""
    found = con.execute(
        f"select file, line, left(raw, 120) from {rejects} where kind = '{UNCLOSED_QUOTE}'"
        " and contains(raw, chr(10)) order by file, line limit 1"
    ).fetchone()
    if found:
        file, line, raw = found
        raise FeedError(
            feed.source,
            feed.name,
            f"file {Path(file).name}, line {line}: a quote is opened and not closed, so that the rows after it"
            f" can't be told apart{'' if feed.pii else f': {raw.splitlines()[0]}'}",
            remedy="have the line corrected and the file delivered again; nothing of this feed was loaded",
        )


def _lines(paths: list[Path], encoding: str = "utf-8", *, strict: bool = True) -> str:
    """A relation (raw, file) over the files' lines as they are; blank lines are NULL.

    Args:
        strict: text in another encoding is an error; else such lines are left out.
    """
    return (
        f"read_csv([{', '.join(map(sql.literal, paths))}], header = false, auto_detect = false,"
        " columns = {'raw': 'VARCHAR'}, delim = chr(1), quote = '', escape = '', strict_mode = false,"
        f" ignore_errors = {not strict}, filename = 'file', encoding = {sql.literal(encoding)},"
        f" max_line_size = {MAX_LINE_BYTES})"
    )


def _common_header(con: duckdb.DuckDBPyConnection, feed: Feed, paths: list[Path]) -> list[str]:
    headers = [_header(con, feed, path) for path in paths]
    for path, header in zip(paths, headers, strict=True):
        if header != headers[0]:
            raise FeedError(
                feed.source,
                feed.name,
                f"files {paths[0].name} and {path.name} have different headers: {headers[0]} and {header}",
                remedy="deliver files with one header",
            )
    return headers[0]


def _header(con: duckdb.DuckDBPyConnection, feed: Feed, path: Path) -> list[str]:
    first = con.execute(f"select raw from {_lines([path], feed.csv.encoding, strict=False)} limit 1").fetchone()
    if first is None or first[0] is None:
        raise FeedError(
            feed.source,
            feed.name,
            f"file {path.name} is empty: its first line, the header, is missing",
            remedy="deliver the file again; a day without rows still needs a header",
        )
    if feed.csv.quote:
        header = next(csv.reader([first[0]], delimiter=feed.csv.delimiter, quotechar=feed.csv.quote))
    else:
        header = next(csv.reader([first[0]], delimiter=feed.csv.delimiter, quoting=csv.QUOTE_NONE))
    if unusable := [name for name in header if not name.strip() or header.count(name) > 1]:
        raise FeedError(
            feed.source,
            feed.name,
            f"file {path.name}, line 1: column names must be there and differ, but {unusable[0]!r} stands in"
            f" the header {header}",
            remedy="have the header corrected and the file delivered again",
        )
    return header


def _delimiter_hint(header: list[str], feed: Feed) -> str:
    if len(header) == 1:
        for other in (",", ";", "\t", "|"):
            if other != feed.csv.delimiter and other in header[0]:
                return (
                    f"the header looks separated by {other!r}, not {feed.csv.delimiter!r}: "
                    f"set `csv: {{delimiter: {other!r}}}` in source.yml, or have the agreed format delivered"
                )
    return ""


def read_json_lines(
    con: duckdb.DuckDBPyConnection, feed: Feed, paths: list[Path], declared: dict[str, str]
) -> TextRows:
    """Read one JSON object a line; a key that a line lacks is NULL there, one that no line has is missing.

    Read as text, because read_json turns what it can't read into NULL.
    """
    lines, table, rejects = (sql.quote(f"{what}_{feed.name}") for what in ("lines", "text", "rejects"))
    con.execute(
        f"create or replace temp table {lines} as select file, raw, {_ordinal(feed, paths, 'file')} as _row,"
        " case when json_valid(raw) then json_type(raw) = 'OBJECT' else false end as is_object"
        f" from (select *, row_number() over () as _n from {_lines(paths)})"
    )
    keys = con.execute(
        f"select key, min(_row) from (select unnest(json_keys(raw)) as key, _row from {lines} where is_object)"
        " group by key order by 2, list_position($1, key)",
        [list(declared)],
    ).fetchall()
    found = [key for key, _ in keys]
    # a file without an object says nothing about its keys
    columns = _types(declared, [name for name in declared if name in found] + found) if found else dict(declared)
    shape = sql.literal(json.dumps(dict.fromkeys(columns, "VARCHAR")))
    con.execute(
        f"create or replace temp table {table} as select _row, unnest(json_transform(raw, {shape}))"
        f" from {lines} where is_object"
    )
    bad_name, bad_kind = _first_bad(columns, {name: name for name in columns}), _first_bad(columns, columns)
    con.execute(
        f"create or replace temp table {rejects} as select l.file, l._row - f.first + 1 as line, b.name as column_name,"
        " case when b.name is null then 'no JSON object' else 'not to be read as ' || b.kind end as reason, l.raw"
        f" from {lines} l join (select file, min(_row) as first from {lines} group by file) f using (file)"
        f" left join (select _row, {bad_name} as name, {bad_kind} as kind from {table}) b using (_row)"
        " where trim(l.raw) <> '' and (not l.is_object or b.name is not null)"
    )
    con.execute(f"delete from {table} where {bad_name} is not null")
    return TextRows(_relation(table, columns), columns, rejects)


def _first_bad(columns: dict[str, str], told: dict[str, str]) -> str:
    """SQL of what is told of the first column whose text can't be read as its type; NULL if all can."""
    whens = (
        f" when {unreadable(sql.quote(name), kind)} then {sql.literal(told[name])}" for name, kind in columns.items()
    )
    return f"case{''.join(whens)} end"
