"""Reading a suite file: Great Expectations' own JSON, with our `meta` on every expectation.

A suite is checked here before Great Expectations is even imported, so that a mistake in it is
named by file, expectation and key.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dagster_project.errors import ConfigurationError
from dagster_project.quality.results import Severity

README = "expectations/README.md"


class RuleMeta(BaseModel):
    """What we ask of each expectation beyond Great Expectations' own arguments."""

    model_config = ConfigDict(extra="forbid")

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    severity: Severity
    why: str = Field(min_length=10)


class Rule(BaseModel):
    """One expectation of a suite."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(pattern=r"^expect_[a-z0-9_]+$")
    kwargs: dict[str, Any] = Field(default_factory=dict)
    meta: RuleMeta

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns named by the arguments; none for a rule over whole rows."""
        single = [self.kwargs[k] for k in ("column", "column_A", "column_B") if k in self.kwargs]
        return tuple(map(str, [*single, *self.kwargs.get("column_list", [])]))


class Suite(BaseModel):
    """A suite file: its name, its rules, and the file for messages.

    Attributes:
        key: of a built table only: the columns that tell a row.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    key: list[str] = Field(default_factory=list)
    expectations: list[Rule] = Field(min_length=1)
    meta: dict[str, Any] = Field(default_factory=dict)
    path: Path = Field(exclude=True)

    def subset(self, rules: list[Rule], suffix: str) -> "Suite":
        """The same suite with some of its rules only, under `<name>.<suffix>`."""
        return self.model_copy(update={"name": f"{self.name}.{suffix}", "expectations": rules})


def load_suite(path: Path) -> Suite:
    """Read and check a suite file.

    Raises:
        ConfigurationError: the file is missing, isn't JSON, lacks a key, has an unknown severity,
            names a rule twice, or tolerates rows in a quarantine rule.
    """
    suite = _parse(path, _read(path))
    _reject_twice_named(suite)
    for rule in suite.expectations:
        _reject_tolerant_quarantine(suite, rule)
    return suite


def load_table_suite(path: Path) -> Suite:
    """Read and check the suite of a built table; its `key` names the columns that tell a row in a message.

    Raises:
        ConfigurationError: as `load_suite`, or it has no key, or a rule of it would set rows aside.
    """
    suite = load_suite(path)
    if not suite.key:
        raise ConfigurationError(
            f"suite {path} has no key",
            remedy='name the columns that tell a row of the table, none of them personal: "key": ["month_start_date"]',
        )
    for rule in suite.expectations:
        if rule.meta.severity is Severity.QUARANTINE:
            raise ConfigurationError(
                f"suite {path}: rule {rule.meta.rule!r} ({rule.type}) has severity 'quarantine'; only rows of a "
                "batch can be set aside, not those of a built table",
                remedy="make it a warning or critical",
            )
    return suite


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no suite file {path}", remedy=f"write it, as {README} shows, or correct its place"
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"suite {path} is not JSON: {error}", remedy="correct the file at that place"
        ) from error
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"suite {path} holds a {type(content).__name__}, not an object",
            remedy=f'write {{"name": ..., "expectations": [...]}}, as {README} shows',
        )
    return content


def _parse(path: Path, content: dict[str, Any]) -> Suite:
    try:
        return Suite(**{**content, "path": path})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(
            f"suite {path}: {_place(first['loc'], content)}: {first['msg']}",
            remedy=f"correct it; {README} lists what an expectation needs",
        ) from error


def _place(location: tuple[int | str, ...], content: dict[str, Any]) -> str:
    """`expectations.3.meta.severity` with the expectation's type beside its number."""
    place = ".".join(map(str, location))
    if len(location) < 2 or location[0] != "expectations" or not isinstance(location[1], int):
        return place
    expectation = content["expectations"][location[1]]
    kind = expectation.get("type") if isinstance(expectation, dict) else None
    return f"{place} ({kind})" if kind else place


def _reject_twice_named(suite: Suite) -> None:
    names = [rule.meta.rule for rule in suite.expectations]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"suite {suite.path} names rule {', '.join(map(repr, twice))} more than once",
            remedy="give each expectation its own meta.rule; results and quarantine are kept by it",
        )


def _reject_tolerant_quarantine(suite: Suite, rule: Rule) -> None:
    tolerance = {"mostly", "tolerated_rows", "tolerated_share"} & rule.kwargs.keys()
    if rule.meta.severity is Severity.QUARANTINE and tolerance:
        raise ConfigurationError(
            f"suite {suite.path}: rule {rule.meta.rule!r} ({rule.type}) is a quarantine rule with "
            f"{', '.join(sorted(tolerance))}",
            remedy="a quarantine rule judges each row by itself: remove the tolerance, or make it critical",
        )
