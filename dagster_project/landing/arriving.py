"""Arriving files: a feed delivered as one file after the other, each of which lands once.

A file is known by its content (sha256) over all batches, and its rows by file and row number: twins survive, and a
renamed file is the same file. Files are taken in order of the date in their names; those dated after the load wait.
`_row` is made of date, content and row number, so that it does not depend on when the file arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dagster_project.errors import FeedError
from dagster_project.landing.manifest import Manifest, SourceFile
from dagster_project.landing.reader import Opened, identify, matching_files, refuse_empty
from dagster_project.landing.source import Feed
from dagster_project.landing.text import ROWS_PER_FILE

# `_row`: 16 bits of days since 1970, 12 bits of the content's hash, 32 bits of row number; below identity.DELETES.
DAY, TIE = 2**44, 2**32
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Arrival:
    """A file that has not landed.

    Attributes:
        first: `_row` of a row is this + its number in the file.
    """

    path: Path
    file: SourceFile
    day: date
    first: int


def arrivals(feed: Feed, folder: Path, past: Iterable[Manifest], load_date: date) -> list[Arrival]:
    """The files to land with a load of the date, in order of their dates.

    Raises:
        FeedError: no folder, or no file and none ever landed; a name without a date; an empty file; a file that changed
            after it had landed.
    """
    landed = [(manifest.load_id, file) for manifest in past for file in manifest.files]
    paths = matching_files(feed, folder, required=not landed)
    hashed = {(file.path, file.size, file.mtime_ns): file for _, file in landed}
    contents = {file.sha256 for _, file in landed}
    found: list[Arrival] = []
    for day, path in sorted((file_date(feed, path), path) for path in paths):
        if day > load_date:
            continue
        refuse_empty(feed, path)
        file = identify(path, hashed)
        if file.sha256 in contents:
            continue
        _refuse_changed(feed, folder, path, file, landed)
        contents.add(file.sha256)
        found.append(Arrival(path, file, day, _first_row(day, file, {arrival.first for arrival in found})))
    return found


def file_date(feed: Feed, path: Path) -> date:
    """The date in a file's name.

    Raises:
        FeedError: there is none where `files` in source.yml says it is.
    """
    assert feed.files is not None  # noqa: S101 - asked for arriving files only
    match = re.search(feed.files.date, path.name)
    try:
        return date.fromisoformat(match[1]) if match else date.fromisoformat("")
    except ValueError:
        raise FeedError(
            feed.source,
            feed.name,
            f"file {path.name}: its name has no date such as 2017-03-01 or 20170301 where `files` expects one"
            f" ({feed.files.date})",
            remedy="rename the file, put it away, or correct `path` or `files` in source.yml",
        ) from None


def _refuse_changed(
    feed: Feed, folder: Path, path: Path, file: SourceFile, landed: list[tuple[str, SourceFile]]
) -> None:
    name = path.relative_to(folder)
    for load_id, other in landed:
        # by the name below the root, which may be mounted elsewhere by now
        if Path(other.path).parts[-len(name.parts) :] == name.parts:
            raise FeedError(
                feed.source,
                feed.name,
                f"file {path} (sha256 {file.sha256[:12]}) has another content than the {other.path}"
                f" (sha256 {other.sha256[:12]}) that landed with load {load_id}",
                remedy="put the landed content back and deliver what is new in a file with a name of its own",
            )


def _first_row(day: date, file: SourceFile, taken: set[int]) -> int:
    """Where the file's rows begin; two files of a date whose hashes begin alike lie one after the other."""
    tie = int(file.sha256[:3], 16)
    while (first := (day - EPOCH).days * DAY + tie * TIE) in taken:
        tie = (tie + 1) % (DAY // TIE)
    return first


def of_rows(opened: Opened, arrived: list[Arrival]) -> str:
    """SQL of the opened relation with each row's `_row` of its file."""
    first = ", ".join(str(arrival.first) for arrival in arrived)
    begin = f"list_extract(cast([{first}] as bigint[]), _row // {ROWS_PER_FILE})"
    return f"(select * replace ({begin} + _row % {ROWS_PER_FILE} as _row) from {opened.relation})"


def business_date() -> str:
    """SQL of the date of the file a row `r` came in."""
    return f"date '{EPOCH}' + cast(r._row // {DAY} as integer)"
