"""contract.yml: every canonical feed with its columns, types, keys and personal data.

The file is validated whole; an error names the file, the key, what was found and what was expected.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dagster_project.errors import ConfigurationError
from dagster_project.settings import PROJECT

FILE = PROJECT / "sources" / "contract.yml"
NAME = re.compile(r"^[a-z][a-z0-9_]*$")

# Short names of the contract -> type in SQL
NAMED_TYPES = {"money": "decimal(19, 4)", "rate": "decimal(28, 12)"}
SQL_TYPE = re.compile(r"^(varchar|bigint|integer|boolean|date|timestamp|decimal\(\d+, \d+\))$")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataClass(StrEnum):
    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    DESCRIPTIVE = "descriptive"
    SERVICE = "service"


class Shape(StrEnum):
    """Events go to one fact each; a list holds changes of members."""

    EVENTS = "events"
    LIST = "list"


class Column(Strict):
    """A column: its type as SQL writes it, what it means, whether it is personal data."""

    type: str
    description: str = Field(min_length=1)
    pii: bool = False

    @model_validator(mode="before")
    @classmethod
    def _named_type(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and isinstance(raw.get("type"), str):
            raw = raw | {"type": NAMED_TYPES.get(raw["type"], raw["type"])}
        return raw

    @model_validator(mode="after")
    def _known_type(self) -> Self:
        if not SQL_TYPE.match(self.type):
            raise ValueError(
                f"type {self.type!r} is none of varchar, bigint, integer, boolean, date, timestamp,"
                f" decimal(p, s), {', '.join(NAMED_TYPES)}"
            )
        return self


# What every view begins with, filled from landing.
ORIGIN = {
    "source_system": Column(
        type="varchar", description="Source system the row comes from; natural keys are unique within it."
    ),
    "source_feed": Column(type="varchar", description="Landed feed the row comes from, as source.feed."),
    "load_id": Column(type="varchar", description="Load that landed the row."),
    "load_row": Column(type="bigint", description="Number of the row within its landed batch."),
}
OP = Column(type="varchar", description="What the source did: insert, update, upsert or delete.")
UPDATED_AT = Column(
    type="timestamp", description="Version of the row as the source dates it, UTC; NULL where rows have one version."
)
LEADING = {
    Shape.LIST: ORIGIN
    | {
        "op": OP,
        "effective_from": Column(
            type="date", description="Local day from which the row holds; 1900-01-01 for the first row of a member."
        ),
        "updated_at": UPDATED_AT,
    },
    Shape.EVENTS: ORIGIN
    | {
        "op": OP,
        "updated_at": UPDATED_AT,
        "is_superseded": Column(type="boolean", description="Whether a newer version of the key had landed before."),
    },
}


class CanonicalFeed(Strict):
    """One canonical feed.

    Attributes:
        key: columns that identify an event, or a member of a list, within its source system.
        date: events: the column with the local day; lists have none.
        columns: by name, in the order of the view; personal data included.
    """

    name: str
    description: str = Field(min_length=1)
    data_class: DataClass = Field(alias="class")
    shape: Shape
    key: tuple[str, ...] = Field(min_length=1)
    date: str | None = None
    columns: dict[str, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        shown = {name for name, column in self.columns.items() if not column.pii}
        if missing := [name for name in self.key if name not in shown]:
            raise ValueError(f"key names {missing}, which columns does not list, or lists as personal data")
        if (self.shape is Shape.EVENTS) != (self.date is not None):
            raise ValueError("events need a date, the column with their local day; a list has none")
        if self.date is not None and (self.date not in shown or self.columns[self.date].type != "date"):
            raise ValueError(f"date names {self.date!r}, which is no column of type date")
        if clash := [name for name in self.columns if name in LEADING[self.shape]]:
            raise ValueError(f"columns {clash} are names every view begins with")
        if wrong := [name for name in self.columns if not NAME.match(name)]:
            raise ValueError(f"columns {wrong}: expected lower-case names with underscores")
        return self

    @property
    def view(self) -> dict[str, Column]:
        """Columns of the canonical view, in order: the leading ones and those that are no personal data."""
        return LEADING[self.shape] | {name: column for name, column in self.columns.items() if not column.pii}

    @property
    def pii(self) -> dict[str, Column]:
        """Columns of personal data: they live in pii.duckdb only."""
        return {name: column for name, column in self.columns.items() if column.pii}


class Contract(Strict):
    feeds: dict[str, CanonicalFeed] = Field(min_length=1)

    def events(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the canonical feeds that are events: one of them is the primary destination of each row."""
        return tuple(name for name in names if self.feeds[name].shape is Shape.EVENTS)

    def lists(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if self.feeds[name].shape is Shape.LIST)


@lru_cache(maxsize=4)
def read_contract(path: Path = FILE) -> Contract:
    """Read and validate the contract.

    Raises:
        ConfigurationError: names the file, the key, what was found and what was expected.
    """
    try:
        # libyaml's loader: the pure Python one takes half a second for this file
        raw = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both safe
    except FileNotFoundError:
        raise ConfigurationError(f"{path} does not exist", remedy="restore it from the project") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}", remedy="correct the file") from None
    feeds = raw.get("feeds") if isinstance(raw, dict) else None
    if not isinstance(feeds, dict):
        raise ConfigurationError(
            f"{path}: expected a mapping with a key 'feeds' that maps names to canonical feeds",
            remedy="correct the file; its head describes every key",
        )
    for name, feed in feeds.items():
        if not NAME.match(str(name)) or not isinstance(feed, dict):
            raise ConfigurationError(
                f"{path}: feeds.{name}: expected a lower-case name and a mapping",
                remedy="rename it, for example order_lines",
            )
        feed["name"] = name
    try:
        return Contract.model_validate({"feeds": feeds})
    except ValidationError as error:
        raise ConfigurationError(
            "\n".join(f"{path}: {key_at(item['loc'])}: {what_is_wrong(item)}" for item in error.errors()),
            remedy="correct the file; its head describes every key",
        ) from None


def key_at(loc: tuple[int | str, ...]) -> str:
    """The place of a validation error in its file."""
    return ".".join(str(part) for part in loc) or "(file)"


def what_is_wrong(item: Any) -> str:
    """A validation error in plain words, with what was found."""
    if item["type"] == "missing":
        return "is required and missing"
    if item["type"] == "extra_forbidden":
        return "is not a known key"
    found = item.get("input")
    shown = f", found {found!r}" if not isinstance(found, dict) else ""
    return f"{item['msg'].removeprefix('Value error, ')}{shown}"
