"""Opening a feed's files with DuckDB: Parquet here, CSV and JSON lines in text.py.

Yields one relation with the file's own columns plus `_row`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.errors import FeedError
from dagster_project.landing import sql, text
from dagster_project.landing.manifest import SourceFile, SourceTable
from dagster_project.landing.source import Feed
from dagster_project.landing.text import ROWS_PER_FILE


@dataclass(frozen=True)
class Opened:
    """A feed's files or table, ready to be read.

    Attributes:
        relation: SQL of a relation with `columns` and `_row`; of a table there is one only `within` a condition.
        columns: name -> DuckDB type, as the source has them; text has the types it was asked to be read as.
        files: the files with their identity.
        tables: the table as it was read.
        rejects: table of (file, line, column_name, reason, raw): lines of text that are no row.
        hint: what to do if columns are missing, when the reader has an idea why.
        table: a table's name and where it is, for messages.
        fetch: reads the rows of a table for which a condition is true.
    """

    relation: str
    columns: dict[str, str]
    files: tuple[SourceFile, ...]
    rejects: str | None = None
    hint: str = ""
    tables: tuple[SourceTable, ...] = ()
    table: str = ""
    fetch: Callable[[str], Opened] | None = None

    def within(self, condition: str) -> Opened:
        """The same, with all rows for which the condition is true: files may give others too, a database does not.

        Args:
            condition: SQL over the columns that DuckDB and PostgreSQL read alike; empty: all rows.

        Raises:
            FeedError: the database broke the reading off.
        """
        return self.fetch(condition) if self.fetch else self

    @property
    def place(self) -> str:
        """Where the rows are, for messages: of more than two files the first and how many more."""
        if self.table:
            return self.table
        names = [Path(file.path).name for file in self.files]
        return f"file {', '.join(names) if len(names) < 3 else f'{names[0]} and {len(names) - 1} more'}"


def open_files(
    con: duckdb.DuckDBPyConnection,
    feed: Feed,
    folder: Path,
    declared: dict[str, str],
    known: Sequence[SourceFile] = (),
    arrived: Sequence[tuple[Path, SourceFile]] | None = None,
) -> Opened:
    """Open the files of a feed.

    Args:
        declared: the columns of the accepted schema: what CSV and JSON text is read as.
        known: files of earlier batches, so that an unchanged file is not hashed again.
        arrived: of arriving files, those to open; `_row` // ROWS_PER_FILE is then the place of a row's file in this
            list, from 1 on. None opens the last by name, for its shape.

    Raises:
        FeedError: no file, an empty or damaged file, text that can't be taken apart.
    """
    if arrived is None:
        paths = find_files(feed, folder)[-1 if feed.files else 0 :]
        hashed = {(file.path, file.size, file.mtime_ns): file for file in known}
        arrived = [(path, identify(path, hashed)) for path in paths]
    if not arrived:
        empty = ", ".join(f"cast(null as {kind}) as {sql.quote(name)}" for name, kind in declared.items())
        return Opened(f"(select {empty}, cast(null as bigint) as _row where false)", dict(declared), ())
    paths, files = [path for path, _ in arrived], tuple(file for _, file in arrived)
    try:
        match _format(feed, paths):
            case "parquet":
                relation, columns = _parquet(con, feed, paths)
                return Opened(relation, _wanted(feed, columns), files)
            case "csv":
                read = text.read_csv(con, feed, paths, declared)
            case _:
                read = text.read_json_lines(con, feed, paths, declared)
    except duckdb.Error as error:
        raise explain(feed, error, paths) from error
    return Opened(read.relation, _wanted(feed, read.columns), files, read.rejects, read.hint)


def _wanted(feed: Feed, columns: dict[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in columns.items() if name not in feed.ignore}


def find_files(feed: Feed, folder: Path) -> list[Path]:
    """The feed's files in name order; none, or an empty one, is an error that names where it was looked for."""
    paths = matching_files(feed, folder)
    for path in paths:
        refuse_empty(feed, path)
    return paths


def matching_files(feed: Feed, folder: Path, *, required: bool = True) -> list[Path]:
    """The files that `path` names, in name order; if `required`, none is an error that names the folder looked in."""
    if not folder.is_dir():
        raise FeedError(
            feed.source,
            feed.name,
            f"the source's folder {folder} does not exist",
            remedy="mount or create it, or set the folder's variable named by `root` in source.yml",
        )
    paths = sorted(path for path in folder.glob(feed.path) if path.is_file())
    if required and not paths:
        raise FeedError(
            feed.source,
            feed.name,
            f"no file {feed.path} in {folder}",
            remedy="deliver the file, or correct `path` in source.yml; nothing of this feed was loaded",
        )
    return paths


def refuse_empty(feed: Feed, path: Path) -> None:
    if path.stat().st_size == 0:
        raise FeedError(
            feed.source,
            feed.name,
            f"file {path} is empty (0 bytes)",
            remedy="deliver the file again; a day without rows still needs a header or a valid file",
        )


def identify(path: Path, hashed: Mapping[tuple[str, int, int], SourceFile]) -> SourceFile:
    """The file as it is now; not hashed again if (path, size, time) is known."""
    stat = path.stat()
    if file := hashed.get((str(path), stat.st_size, stat.st_mtime_ns)):
        return file
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return SourceFile(path=str(path), size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=digest)


def _format(feed: Feed, paths: list[Path]) -> str:
    kinds = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv"}
    kinds |= {".jsonl": "json", ".ndjson": "json", ".json": "json"}
    found: dict[str, Path] = {}
    for path in paths:
        suffixes = [suffix for suffix in path.suffixes if suffix not in {".gz", ".zst", ".zstd"}]
        kind = kinds.get(suffixes[-1] if suffixes else "")
        if kind is None:
            raise FeedError(
                feed.source,
                feed.name,
                f"file {path.name}: unknown format",
                remedy="name it .parquet, .csv or .jsonl (.gz and .zst may follow)",
            )
        found.setdefault(kind, path)
    if len(found) > 1:
        raise FeedError(
            feed.source,
            feed.name,
            f"files {' and '.join(path.name for path in found.values())} have different formats",
            remedy=f"deliver one format, or let `path` in source.yml ({feed.path}) match only one",
        )
    return next(iter(found))


def _describe(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    rows = con.execute(f"describe select * from {relation}").fetchall()
    return {row[0]: row[1] for row in rows}


def _parquet(con: duckdb.DuckDBPyConnection, feed: Feed, paths: list[Path]) -> tuple[str, dict[str, str]]:
    shapes = {path: _describe(con, sql.parquet([path])) for path in paths}
    columns = shapes[paths[0]]
    for path, shape in shapes.items():
        if shape != columns:
            raise FeedError(
                feed.source,
                feed.name,
                f"files {paths[0].name} and {path.name} differ in columns or types: "
                f"{sorted(set(columns.items()) ^ set(shape.items()))}",
                remedy="deliver files of one shape; after a change of shape put the old ones away",
            )
    listed = ", ".join(sql.literal(path) for path in paths)
    if len(paths) == 1 and not feed.files:
        relation = (
            f"(select {sql.names(columns)}, file_row_number as _row"
            f" from read_parquet([{listed}], file_row_number = true))"
        )
    else:
        relation = (
            f"(select {sql.names(columns)}, cast(list_position([{listed}], filename) as bigint) * {ROWS_PER_FILE}"
            f" + file_row_number as _row from read_parquet([{listed}], file_row_number = true, filename = true))"
        )
    return relation, columns


def explain(feed: Feed, error: duckdb.Error, paths: Sequence[Path] = ()) -> FeedError:
    """Turn DuckDB's error while reading a feed's files into what the operator can act on."""
    told = str(error)
    place = next((f"file {path.name}" for path in paths if str(path) in told), feed.place)
    lines = told.removeprefix("Invalid Input Error: ").split("\n")
    # DuckDB's own remedies follow what is wrong with a line of text
    reason = "; ".join(lines[:3] if lines[0].startswith("CSV Error") else lines[:1])[:300]
    if feed.pii:  # DuckDB quotes lines and values
        reason = f"{type(error).__name__}; what it says more may be personal data and is left out"
    lower = told.lower()
    if "no space left" in lower or "max_temp_directory_size" in lower:
        return FeedError(
            feed.source,
            feed.name,
            f"the disk is full: {reason}",
            remedy="free space on the disk of CLIENTELE_HOME (`clientele doctor` shows it) and load again",
        )
    if "out of memory" in lower:
        return FeedError(
            feed.source,
            feed.name,
            f"not enough memory: {reason}",
            remedy="raise CLIENTELE_MEMORY_LIMIT (now DuckDB's limit in each stage), or free memory, and load again",
        )
    if any(word in lower for word in ("magic bytes", "footer", "thrift", "snappy", "end of gzip", "zstd")):
        remedy = "the file is damaged or truncated: have it delivered again, then load again"
    elif any(word in lower for word in ("unicode", "utf-8", "utf-16", "encod")):
        remedy = (
            f"the text is not {feed.csv.encoding}: have it delivered so, or set `csv: {{encoding: ...}}` in source.yml"
        )
    elif "state machine" in lower:
        remedy = "its lines end in different ways (LF and CRLF), or a quote is broken: have it delivered again"
    else:
        remedy = "have the file delivered again, or correct its options in source.yml; then load again"
    return FeedError(feed.source, feed.name, f"{place} can't be read: {reason}", remedy=remedy)
