"""source.yml: which feeds a source system has, where they are and how they are extracted.

The file is validated whole; an error names the file, the key and what was expected.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from dagster_project.contract.contract import DataClass, key_at, read_contract, what_is_wrong
from dagster_project.errors import ConfigurationError
from dagster_project.landing.csv_options import Csv
from dagster_project.landing.places import resolve_root, with_variables

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
PII_HASH = "_pii_hash"
MATCH_KEYS = {"_email_key": "email", "_phone_key": "phone"}
TECHNICAL = (
    *("_load_id", "_row", "_op", "_business_date", "_effective_from", "_updated_at", "_superseded"),
    *(PII_HASH, *MATCH_KEYS),
)


class Kind(StrEnum):
    """What a source's feeds are read from."""

    FILES = "files"
    POSTGRES = "postgres"


class Extract(StrEnum):
    """How a feed is read: events that only come, rows that change later, or the whole of a changing list."""

    APPEND = "append"
    UPSERT = "upsert"
    SNAPSHOT = "snapshot"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatedBy(Strict):
    """The feed's rows carry no date: they take it from a row of another feed of the same source."""

    feed: str
    key: str
    column: str


def _date_pattern(value: str) -> str:
    try:
        groups = re.compile(value).groups
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"{value!r} needs one group, the date, such as '(\\d{{4}}-\\d{{2}}-\\d{{2}})'")
    return value


class Files(Strict):
    """The feed comes as one file after the other, each of which lands once; `date` finds the date in a name."""

    date: Annotated[str, AfterValidator(_date_pattern)]


def _zone(value: Any) -> Any:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value!r} is no time zone, such as America/New_York") from error
    return value


Zone = Annotated[str, BeforeValidator(_zone)]


def _column_type(value: Any) -> Any:
    """The type as DuckDB names it, so that `int` equals the INTEGER found in a file."""
    try:
        return str(duckdb.type(str(value)))
    except duckdb.Error as error:
        raise ValueError(f"{value!r} is no DuckDB type, such as BIGINT, VARCHAR or DECIMAL(19, 4)") from error


def _canonical(value: Any) -> Any:
    """A name or a list of names of the contract."""
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else None
    if names is None:
        raise ValueError("expected the name of a canonical feed, or a list of names")
    if unknown := [name for name in names if name not in read_contract().feeds]:
        raise ValueError(f"{unknown} are no canonical feeds of sources/contract.yml")
    return names


def _relative(value: str) -> str:
    if Path(value).is_absolute() or ".." in Path(value).parts:
        raise ValueError("a path is relative to the source's root and stays below it")
    return value


Canonical = Annotated[tuple[str, ...], BeforeValidator(_canonical)]


def _table(value: str) -> str:
    if not re.match(r"^[^.]+\.[^.]+$", value):
        raise ValueError("expected the schema and the table, such as public.orders")
    return value


ColumnType = Annotated[str, BeforeValidator(_column_type)]


class Feed(Strict):
    """One feed of a source: one table, query, file or set of files with one shape.

    Attributes:
        kind: the source's.
        system: whose natural keys the rows carry.
        control_totals: measure -> the column, or the SQL expression over columns, that is summed.
        canonical: the canonical feeds it fills. Each accepted row goes to exactly one of the events among them; lists
            are derived from it besides. None: other feeds' staging models look things up in it.
        trust: how far its word counts where several systems describe one customer, 0 to 100.
        ignore: columns of the files that are never read, so never land.
        versions_of: columns that identify the member where the key identifies a version of it.
    """

    source: str
    kind: Kind = Kind.FILES
    name: str
    system: str
    description: str = ""
    path: Annotated[str, AfterValidator(_relative)] = Field("", validate_default=True)
    table: Annotated[str, AfterValidator(_table)] = ""
    query: str = ""
    data_class: DataClass = Field(alias="class")
    canonical: Canonical
    extract: Extract
    key: tuple[str, ...] = ()
    versions_of: tuple[str, ...] = ()
    cursor: str | None = None
    cursor_zone: Zone | None = None
    dated_by: DatedBy | None = None
    lookback_days: int = Field(7, ge=0)
    files: Files | None = None
    updated_at: str | None = None
    overlap_minutes: int = Field(24 * 60, ge=0)
    effective: str | None = None
    deleted_when: str | None = None
    max_deleted: float = Field(0.05, ge=0, le=1)
    max_rejected: float = Field(0.01, ge=0, le=1)
    control_totals: dict[str, str] = {}
    trust: int = Field(50, ge=0, le=100)
    csv: Csv = Csv()
    pii: dict[str, str] = {}
    person: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    columns: dict[str, ColumnType] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _of_its_own(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        person = {"person": raw.get("key", ())} if raw.get("pii") else {}
        return {"system": raw.get("source")} | person | raw

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        # the control totals of other feeds may be SQL expressions
        totals = [t for t in self.control_totals.values() if re.fullmatch(r"\w+", t) or self.extract is Extract.UPSERT]
        for label, names in {"key": self.key, "versions_of": self.versions_of, "control_totals": totals}.items():
            if missing := [name for name in names if name not in self.columns]:
                raise ValueError(f"{label} names {missing}, which columns does not list")
        if self.versions_of and self.extract is not Extract.SNAPSHOT:
            raise ValueError("versions_of is for a snapshot that lists versions of members")
        if both := [name for name in self.ignore if name in self.columns]:
            raise ValueError(f"ignore names {both}, which columns lists as well")
        if clash := [name for name in self.columns if name in TECHNICAL]:
            raise ValueError(f"columns {clash} are names the landing uses itself")
        if self.extract is Extract.SNAPSHOT and not self.key:
            raise ValueError("a snapshot needs a key, to tell a changed row from a new one")
        if self.cursor and self.dated_by:
            raise ValueError("give cursor or dated_by, not both")
        if self.extract is Extract.APPEND and not (self.cursor or self.dated_by or self.files):
            raise ValueError("append needs a cursor (or dated_by, or files), to know what is new")
        if self.extract is Extract.SNAPSHOT and self.files:
            raise ValueError("files that arrive one by one are append or upsert; a snapshot is one whole list")
        if self.extract is Extract.UPSERT and not (self.key and self.updated_at):
            raise ValueError("upsert needs a key and updated_at, to tell the versions of a row apart")
        given = [name for name in ("updated_at", "effective", "deleted_when") if getattr(self, name)]
        if self.extract is not Extract.UPSERT and given:
            raise ValueError(f"only an upsert feed has {' and '.join(given)}; extract is {self.extract}")
        return self

    @model_validator(mode="after")
    def _pii_apart(self) -> Self:
        if not self.pii:
            return self
        if unknown := [name for name in (*self.pii, *self.person) if name not in self.columns]:
            raise ValueError(f"pii and person name {unknown}, which columns does not list")
        known = {column for name in self.canonical or ("customers",) for column in read_contract().feeds[name].pii}
        if wrong := sorted(set(self.pii.values()) - known):
            raise ValueError(
                f"pii maps to {wrong}, which sources/contract.yml does not list as personal data of"
                f" {', '.join(self.canonical) or 'customers'}; it lists {', '.join(sorted(known)) or 'none'}"
            )
        if not self.person:
            raise ValueError("pii needs person (or key): the columns that say whose data it is, for an erasure")
        if not self.canonical and len(self.person) > 1:
            raise ValueError("person of a feed that only others look things up in is one column: the customer's id")
        in_totals = {name for total in self.control_totals.values() for name in re.findall(r"\w+", total)}
        used = {*self.key, *self.person, *in_totals, self.cursor}
        used |= {self.dated_by.key} if self.dated_by else set()
        if clash := [name for name in self.pii if name in used]:
            raise ValueError(
                f"pii names {clash}, which key, person, cursor, dated_by or control_totals need in the clear"
            )
        return self

    @field_validator("path", mode="after")
    @classmethod
    def _path_of_files(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("kind") is Kind.FILES:
            raise PydanticCustomError("missing", "path is missing")
        return value

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.kind is Kind.FILES:
            if self.table or self.query:
                raise ValueError("table and query are for kind: postgres; files have a path")
            return self
        if self.path or "csv" in self.model_fields_set:
            raise ValueError("path and csv are for kind: files; PostgreSQL has a table or a query")
        if bool(self.table) == bool(self.query):
            raise ValueError("give table or query, one of both")
        if self.dated_by or self.files:
            raise ValueError("dated_by and files are for kind: files; a query may join the date")
        for label, name in {"cursor": self.cursor, "updated_at": self.updated_at}.items():
            if name and name not in self.columns:
                raise ValueError(
                    f"{label} {name!r} is none of columns; compute it in query, the database filters by it"
                )
        return self

    @property
    def id(self) -> str:
        return f"{self.source}.{self.name}"

    @property
    def match_keys(self) -> dict[str, str]:
        """Keyed hashes for matching that the feed's rows get -> the personal column they are made of."""
        return {key: target for key, target in MATCH_KEYS.items() if target in self.pii.values()}

    @property
    def landed_columns(self) -> dict[str, str]:
        """What staging may read: the declared columns without personal data, and the match keys."""
        declared = {name: kind for name, kind in self.columns.items() if name not in self.pii}
        return declared | dict.fromkeys(self.match_keys, "VARCHAR")

    @property
    def place(self) -> str:
        """Where its rows are within the source, for messages."""
        if self.path:
            return f"file {self.path}"
        return f"table {self.table}" if self.table else f"the query of {self.name}"


class Source(Strict):
    """A source system: where it is (a folder of files, or a database) and its feeds by name."""

    name: str
    description: str = ""
    kind: Kind
    root: str = ""
    dsn: str = Field("", pattern=r"^\$\{\w+\}$|^$")
    statement_timeout_seconds: int = Field(3600, ge=0)
    timezone: Zone
    feeds: dict[str, Feed] = Field(min_length=1)

    @model_validator(mode="after")
    def _place_of_its_kind(self) -> Self:
        given, other = ("root", "dsn") if self.kind is Kind.FILES else ("dsn", "root")
        if not getattr(self, given):
            raise ValueError(f"{given} is required and missing")
        if getattr(self, other):
            raise ValueError(f"{other} is not for kind: {self.kind.value}")
        return self

    @model_validator(mode="after")
    def _references(self) -> Self:
        for feed in self.feeds.values():
            if by := feed.dated_by:
                if by.feed not in self.feeds:
                    raise ValueError(f"feeds.{feed.name}.dated_by.feed: there is no feed {by.feed!r}")
                other = self.feeds[by.feed]
                if other.files:
                    raise ValueError(f"feeds.{feed.name}.dated_by.feed: {by.feed!r} comes in files, read once each")
                for column, owner in ((by.key, feed), (by.key, other), (by.column, other)):
                    if column not in owner.columns:
                        raise ValueError(f"feeds.{feed.name}.dated_by: feed {owner.name!r} has no column {column!r}")
        return self

    def folder(self) -> Path:
        """The folder of the source's files, environment variables and `package:` resolved.

        Raises:
            ConfigurationError: a variable is unset or the package is not installed.
        """
        return resolve_root(self.root, self.name)

    def resolved_dsn(self) -> str:
        """The connection string of the database; it may hold a password, so it belongs in no message.

        Raises:
            ConfigurationError: its variable is unset.
        """
        return with_variables(self.dsn, self.name, "postgresql://USER:PASSWORD@HOST:PORT/DATABASE")


def read_source(path: Path) -> Source:
    """Read and validate one source.yml.

    Raises:
        ConfigurationError: names the file, the key, what was found and what was expected.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = sorted(p.parent.name for p in path.parent.parent.glob("*/source.yml"))
        raise ConfigurationError(
            f"there is no source {path.parent.name!r}: {path} does not exist",
            remedy=f"set CLIENTELE_SOURCES to some of: {', '.join(known) or '(none)'}",
        ) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}", remedy="correct the file") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("feeds"), dict):
        raise ConfigurationError(
            f"{path}: expected a mapping with a key 'feeds' that maps feed names to feeds",
            remedy="see sources/README.md",
        )
    for name, feed in raw["feeds"].items():
        if not NAME.match(str(name)) or not isinstance(feed, dict):
            raise ConfigurationError(
                f"{path}: feeds.{name}: expected a lower-case name and a mapping",
                remedy="rename it, for example order_lines",
            )
        feed |= {"source": raw.get("name"), "kind": raw.get("kind"), "name": name}
    try:
        source = Source.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(
            "\n".join(f"{path}: {key_at(item['loc'])}: {_what(item)}" for item in error.errors()),
            remedy="correct the file; every key is described in sources/README.md",
        ) from None
    if source.name != path.parent.name:
        raise ConfigurationError(
            f"{path}: name: is {source.name!r} but the folder is {path.parent.name!r}",
            remedy="give both the same name",
        )
    return source


def _what(item: Any) -> str:
    if item["loc"] == ("dsn",) and item["type"] not in {"missing", "extra_forbidden"}:  # it may hold a password
        return "expected the name of an environment variable, such as ${SHOP_PG_DSN}"
    return what_is_wrong(item)


def read_sources(folder: Path, names: list[str]) -> dict[str, Source]:
    """The enabled sources by name, in the order given."""
    return {name: read_source(folder / name / "source.yml") for name in names}
