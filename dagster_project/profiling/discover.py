"""Which feeds lie in a folder: files are grouped by their name without date or number, and their dialect is found."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from dagster_project.errors import ConfigurationError
from dagster_project.landing.csv_options import Csv

FORMATS = {
    ".parquet": "parquet",
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "json"),
}
COMPRESSIONS = (".gz", ".zst", ".zstd")
DELIMITERS = (",", ";", "\t", "|")
NULLS = ("NULL", "null", "\\N", "(null)")  # texts that exports of databases write for NULL
SAMPLE_BYTES = 256_000
# Dates in names that `files` of source.yml understands: 2024-03-01 and 20240301
DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2}|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?!\d)")
DATE_PATTERNS = {10: r"(\d{4}-\d{2}-\d{2})", 8: r"(\d{8})"}  # by length of the date found
NUMBER = re.compile(r"(?<![a-z\d])\d+$|(?<=[_\-.])\d+$", re.IGNORECASE)


@dataclass(frozen=True)
class FoundFeed:
    """Files of one name, or a table.

    Attributes:
        path: pattern below the folder that finds the files, for source.yml.
        format: parquet, csv, json or postgres.
        date_pattern: regular expression of the date in their names; None if they have none.
        csv: dialect, where it is not the default.
        table: schema and name of the table.
        primary_key: columns the database itself keeps unique.
        numerics: columns of the database's numeric without precision: their scale is in the values only.
    """

    name: str
    path: str
    files: tuple[Path, ...]
    format: str
    date_pattern: str | None
    csv: Csv
    table: str = ""
    primary_key: tuple[str, ...] = ()
    numerics: frozenset[str] = frozenset()

    @property
    def is_text(self) -> bool:
        """Values are text, whose types must be found."""
        return self.format in {"csv", "json"}

    @property
    def is_arriving(self) -> bool:
        return self.date_pattern is not None


def find_feeds(place: Path) -> tuple[Path, list[FoundFeed]]:
    """The folder to be the source's root, and the feeds in it, by name.

    Args:
        place: a folder, or one file of it.

    Raises:
        ConfigurationError: there is nothing there that can be read.
    """
    if not place.exists():
        raise ConfigurationError(f"there is no file or folder {place}", remedy="correct the path given with --from")
    folder = place if place.is_dir() else place.parent
    files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
    usable = [path for path in files if _format(path) and not path.name.startswith(".")]
    if not usable:
        endings = ", ".join(FORMATS)
        raise ConfigurationError(
            f"{place}: no file with an ending that can be read ({endings}; .gz and .zst may follow)",
            remedy="give the folder that holds the files, or export them in one of these formats",
        )
    groups: dict[str, list[Path]] = {}
    for path in usable:
        groups.setdefault(_pattern(path.relative_to(folder)), []).append(path)
    groups = _numbers_only_where_there_are_several(groups, folder)
    feeds = [_feed(pattern, paths, folder) for pattern, paths in groups.items()]
    return folder, _with_different_names(sorted(feeds, key=lambda feed: feed.name))


def left_out(place: Path) -> list[str]:
    """Names of the files below the folder that are of no known format."""
    if not place.is_dir():
        return []
    return sorted(p.name for p in place.rglob("*") if p.is_file() and not (_format(p) and p.name[0] != "."))


def plain_name(text: str) -> str:
    """`Order Lines (EU)`, `OrderLines` -> order_lines_eu, order_lines."""
    words = re.sub(r"([a-z\d])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", text)
    name = re.sub(r"[^a-z\d]+", "_", words.lower()).strip("_")
    return name if not name[:1].isdigit() else f"n{name}"


def _format(path: Path) -> str | None:
    return FORMATS.get(Path(_without_compression(path.name)).suffix.lower())


def _without_compression(name: str) -> str:
    return name.rsplit(".", 1)[0] if name.endswith(COMPRESSIONS) else name


def _stem(name: str) -> tuple[str, str]:
    """The name before its endings, and the endings."""
    stem = Path(_without_compression(name)).stem
    return stem, name[len(stem) :]


def _pattern(path: Path) -> str:
    stem, endings = _stem(path.name)
    starred = DATE.sub("*", stem, count=1)
    if starred == stem:
        starred = NUMBER.sub("*", stem)
    return str(path.parent / (starred + endings)) if str(path.parent) != "." else starred + endings


def _numbers_only_where_there_are_several(groups: dict[str, list[Path]], folder: Path) -> dict[str, list[Path]]:
    """`part_1`, `part_2` are one feed; a single `dim_2` is a name."""
    kept: dict[str, list[Path]] = {}
    for pattern, paths in groups.items():
        single = len(paths) == 1 and not DATE.search(_stem(paths[0].name)[0])
        kept[str(paths[0].relative_to(folder)) if single else pattern] = paths
    return kept


def _feed(pattern: str, paths: list[Path], folder: Path) -> FoundFeed:
    stem, _ = _stem(Path(pattern).name)
    dated = DATE.search(_stem(paths[0].name)[0])
    name = plain_name(stem.replace("*", " ")) or plain_name(Path(pattern).parent.name) or plain_name(folder.name)
    kind = _format(paths[0]) or ""
    return FoundFeed(
        name=name or "feed",
        path=pattern,
        files=tuple(paths),
        format=kind,
        date_pattern=DATE_PATTERNS[len(dated[1])] if dated else None,
        csv=_dialect(paths[0]) if kind == "csv" else Csv(),
    )


def _with_different_names(feeds: list[FoundFeed]) -> list[FoundFeed]:
    """Feeds of one name in several folders take the folder's name in front."""
    counted = Counter(feed.name for feed in feeds)
    named = []
    for feed in feeds:
        name = feed.name
        if counted[name] > 1:
            parent = Path(feed.path).parent.name
            name = plain_name(f"{parent} {name}" if parent else f"{name} {feed.format}")
        named.append(FoundFeed(**{**vars(feed), "name": name}))
    return named


def _dialect(path: Path) -> Csv:
    """Encoding, delimiter and what means NULL in a text file, judged by its first lines."""
    raw = _head(path)
    if raw is None:
        return Csv()
    encoding, text = _decoded(raw)
    lines = text.splitlines()[:50]
    if len(raw) == SAMPLE_BYTES:
        lines = lines[:-1]

    def fit(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if row]
        first = widths[0] if widths else 0
        return (widths.count(first), first) if first > 1 else (0, 0)

    best = max(DELIMITERS, key=fit)
    delimiter = best if fit(best)[1] > 1 else ","
    # of all that was read: a column may begin with a hundred values
    fields = {field for row in csv.reader(io.StringIO(text), delimiter=delimiter) for field in row}
    return Csv(delimiter=delimiter, encoding=encoding, null=("", *(word for word in NULLS if word in fields)))


def _head(path: Path) -> bytes | None:
    """The first bytes; None where the compression is one that only DuckDB reads."""
    if path.name.endswith(".gz"):
        with gzip.open(path) as stream:
            return stream.read(SAMPLE_BYTES)
    if path.name.endswith(COMPRESSIONS):
        return None
    with path.open("rb") as stream:
        return stream.read(SAMPLE_BYTES)


def _decoded(raw: bytes) -> tuple[str, str]:
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16", raw.decode("utf-16", errors="ignore")
    try:
        # a character may be cut in two at the end
        return "utf-8", raw.decode("utf-8") if len(raw) < SAMPLE_BYTES else raw[:-4].decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        if error.start >= len(raw) - 8:
            return "utf-8", raw[: error.start].decode("utf-8")
        return "latin-1", raw.decode("latin-1")
