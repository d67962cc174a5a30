"""Which canonical feed a feed fills, and which of its columns fill which of that feed's: proposed by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dagster_project.contract.contract import CanonicalFeed, Contract, Shape
from dagster_project.profiling.discover import plain_name
from dagster_project.profiling.profile import ColumnProfile, FeedProfile
from dagster_project.profiling.vocabulary import EMAIL, FEED_NAMES, MONEY, PERSONAL, PHONE, SYNONYMS

LEAST_SCORE = 1.5  # below it a proposal would be a guess
TABLE_PREFIX = re.compile(r"^(dim|fact|fct|tbl|table|vw|view|stg|src)_")
TABLE_SUFFIX = re.compile(r"(_(dim|fact|facts|table|tbl|\d+))+$")  # sales_fact_1997
ID_SUFFIX = re.compile(r"_(key|no|nr|num|number|code|sk)$")


@dataclass(frozen=True)
class Match:
    """A proposal.

    Attributes:
        columns: canonical column -> column of the source; without personal data.
        personal: column of the source -> column of personal data of the contract.
    """

    feed: CanonicalFeed
    score: float
    columns: dict[str, str]
    personal: dict[str, str]

    @property
    def missing_key(self) -> tuple[str, ...]:
        return tuple(name for name in self.feed.key if name not in self.columns)


def best_match(profile: FeedProfile, contract: Contract) -> Match | None:
    """The canonical feed that fits best; None if none fits well enough."""
    matches = [match_with(profile, feed) for feed in contract.feeds.values()]
    best = max(matches, key=lambda match: match.score)
    return best if best.score >= LEAST_SCORE else None


def personal_data(columns: Mapping[str, ColumnProfile], known: Mapping[str, object]) -> dict[str, str]:
    """Columns that hold personal data, by name or by what stands in them.

    Args:
        known: the contract's columns of personal data the feed may fill; a column that looks personal and fits none
            of them maps to an empty name.
    """
    found = {}
    for name, column in columns.items():
        kind = _personal_kind(column, "name" in known)
        if kind:
            found[name] = kind if kind in known else ""
    return found


def is_money(column: ColumnProfile) -> bool:
    return column.is_number and bool(MONEY.search(plain_name(column.name))) and not column.name.lower().endswith("id")


def singular(name: str) -> str:
    for plural, one in (("ies", "y"), ("ses", "s"), ("s", "")):
        if name.endswith(plural) and not name.endswith("ss"):
            return name[: -len(plural)] + one
    return name


def _personal_kind(column: ColumnProfile, about_people: bool) -> str | None:
    name = plain_name(column.name)
    for pattern, kind in PERSONAL:
        if pattern.search(name) and (kind == "birth_date" or column.is_text or kind == "phone"):
            return kind
    if name == "name" and about_people:
        return "name"
    if column.is_text and column.samples:
        for looks, kind in ((EMAIL, "email"), (PHONE, "phone")):
            if sum(bool(looks.match(value.strip())) for value in column.samples) >= 0.8 * len(column.samples):
                return kind
    return None


def match_with(profile: FeedProfile, feed: CanonicalFeed) -> Match:
    """How well a feed's columns fill a canonical feed."""
    personal = personal_data(profile.columns, feed.pii)
    columns = _columns({name: column for name, column in profile.columns.items() if name not in personal}, feed)
    key = [name for name in feed.key if name in columns]
    named = _name_score(profile.found.name, feed.name)
    says_who = any(name != feed.date for name in key) or named == 1
    told = len(set(columns.values())) + sum(bool(kind) for kind in personal.values())
    coverage = told / max(len(profile.columns), 1)
    score = 3 * coverage + 0.5 * len(key) / len(feed.key) + named
    if feed.shape is Shape.EVENTS and feed.date not in columns:
        score -= 1
    own_key = {columns[name] for name in feed.key if name in columns}
    if feed.shape is Shape.LIST and profile.rows and own_key not in [set(unique) for unique in profile.keys]:
        score -= 1  # a list has one row a member
    return Match(feed, score if says_who else 0, columns, personal)


def _name_score(found: str, canonical: str) -> float:
    """1 for the feed's own name, 0.5 where one holds the other."""
    name = singular(TABLE_SUFFIX.sub("", TABLE_PREFIX.sub("", found)))
    names = {singular(canonical), *FEED_NAMES.get(canonical, ())}
    if name in names:
        return 1.0
    words = set(re.split("_+", name))
    return 0.5 if any(set(other.split("_")) <= words or words <= set(other.split("_")) for other in names) else 0.0


def _columns(columns: Mapping[str, ColumnProfile], feed: CanonicalFeed) -> dict[str, str]:
    """Canonical column -> source column: exact names first, then each canonical column's synonyms in their order.

    The day of an event may come from the same column as its moment.
    """
    by_name = _by_name(columns, singular(feed.name))
    found: dict[str, str] = {}
    for exact in (True, False):
        for wanted in (c for c in feed.columns if c not in feed.pii and c != feed.date and c not in found):
            for candidate in (wanted,) if exact else SYNONYMS.get(wanted, ()):
                name = by_name.get(candidate)
                if name and name not in found.values() and _types_agree(columns[name], feed.columns[wanted].type):
                    found[wanted] = name
                    break
    if feed.date and (day := _day_of_event(columns, by_name, feed, found)):
        found[feed.date] = day
    return {name: found[name] for name in feed.columns if name in found}


def _by_name(columns: Mapping[str, ColumnProfile], entity: str) -> dict[str, str]:
    """Plain name, with and without the entity in front -> column; a column's own name wins."""
    plain = {plain_name(name): name for name in columns}
    as_id = {ID_SUFFIX.sub("_id", form): name for form, name in plain.items() if ID_SUFFIX.search(form)}
    longer = {f"{entity}_{form}": name for form, name in plain.items()}
    shorter = {form.removeprefix(f"{entity}_"): name for form, name in plain.items()}
    return as_id | shorter | longer | plain


def _day_of_event(
    columns: Mapping[str, ColumnProfile], by_name: Mapping[str, str], feed: CanonicalFeed, found: dict[str, str]
) -> str | None:
    """The column the event's day comes from: its own, its moment's, or the only one that is a date at all."""
    day = feed.date or ""
    moment = f"{day.removesuffix('_date')}_at"
    own = (by_name.get(name) for name in (day, *SYNONYMS.get(day, ()), *SYNONYMS.get(moment, ())))
    moments = [name for name, column in columns.items() if column.is_moment]
    candidates = [found.get(moment), *own, *(moments if len(moments) == 1 else [])]
    return next((name for name in candidates if name and columns[name].is_moment), None)


def _types_agree(column: ColumnProfile, wanted: str) -> bool:
    """Whether the column's values can be what the contract asks for; text can hold anything."""
    if wanted in {"date", "timestamp"}:
        return column.is_moment
    if wanted.startswith(("decimal", "bigint", "integer")):
        return column.is_number
    return wanted != "boolean" or column.kind == "BOOLEAN" or set(column.codes) <= {"0", "1"}
