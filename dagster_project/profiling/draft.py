"""What source.yml is to say of a feed, decided from its profile, with the reason for each choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dagster_project.contract.contract import Contract, DataClass, Shape
from dagster_project.landing.source import DatedBy
from dagster_project.profiling.discover import plain_name
from dagster_project.profiling.matching import Match, best_match, is_money, match_with, personal_data
from dagster_project.profiling.profile import KEY_NAME, ColumnProfile, FeedProfile
from dagster_project.profiling.vocabulary import DELETED, UPDATED

# Measures that facts compare with what landed -> canonical column of order_lines they sum
CONTROL_TOTALS = {"order_lines": {"net_amount": "net", "quantity": "quantity"}}


@dataclass(frozen=True)
class FeedDraft:
    """One feed as it is to stand in source.yml.

    Attributes:
        match: the canonical feed it fills; None if none was recognised.
        dated_by: the feed that knows the day of its rows, where no column of its own does.
        columns: column -> DuckDB type, personal data included.
        personal: column -> the contract's column of personal data it holds; empty: the contract has none for it.
        why: key of source.yml -> the reason for its value.
        decide: questions that only someone who knows the source can answer.
    """

    profile: FeedProfile
    match: Match | None
    extract: str
    key: tuple[str, ...]
    cursor: str | None
    control_totals: dict[str, str]
    columns: dict[str, str]
    personal: dict[str, str]
    updated_at: str | None = None
    dated_by: DatedBy | None = None
    deleted_when: str | None = None
    why: dict[str, str] = field(default_factory=dict)
    decide: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.profile.found.name

    @property
    def canonical(self) -> str | None:
        return self.match.feed.name if self.match else None

    @property
    def data_class(self) -> DataClass:
        return self.match.feed.data_class if self.match else DataClass.DESCRIPTIVE


def draft_feed(
    profile: FeedProfile, contract: Contract, canonical: str | None = None, others: Sequence[FeedProfile] = ()
) -> FeedDraft:
    """Decide on a feed.

    Args:
        canonical: the canonical feed it fills, if the user said so.
        others: the other feeds of the source, among which may be one that knows its days.
    """
    match = match_with(profile, contract.feeds[canonical]) if canonical else best_match(profile, contract)
    why: dict[str, str] = {}
    decide: list[str] = []
    key = _key(profile, match, why)
    cursor = _cursor(profile, match, why)
    is_event = match is not None and match.feed.shape is Shape.EVENTS
    updated, deleted = _named(profile, UPDATED), _named(profile, DELETED)
    dated_by = _dated_by(profile, others) if is_event and not cursor and not profile.found.is_arriving else None
    day = cursor or (dated_by.key if dated_by else None)
    extract = _extract(profile, is_event=is_event, cursor=day, updated=updated if key else None, why=why)
    if dated_by:
        why["dated_by"] = "no column of its own is a day; this one points at a list of days"
    if extract == "snapshot":
        cursor = None
        if not key:
            key = tuple(name for name, column in profile.columns.items() if column.is_complete)
            why["key"] = "no few columns tell its rows apart; all complete ones together do"
            if profile.twins:
                why["key"] = "a placeholder: neither few columns nor all complete ones tell its rows apart"
                decide.append(
                    f"key: rows like an earlier one in all these columns ({profile.twins:,}) would be left out; name a"
                    " key, or let it be extract: append without one, by a cursor (a constant, such as"
                    " \"date '2024-03-01'\", if it has no days)"
                )
    decide += _questions(profile, match, key, extract)
    personal = personal_data(profile.columns, match.feed.pii if match else {})
    return FeedDraft(
        profile=profile,
        match=match,
        extract=extract,
        key=key,
        cursor=cursor,
        dated_by=dated_by,
        control_totals=_control_totals(match),
        columns={name: _kind(column) for name, column in profile.columns.items()},
        personal=personal,
        updated_at=updated if extract == "upsert" else None,
        deleted_when=_deleted_when(profile.columns[deleted]) if extract == "upsert" and deleted else None,
        why=why,
        decide=tuple(decide),
    )


def _extract(
    profile: FeedProfile, *, is_event: bool, cursor: str | None, updated: str | None, why: dict[str, str]
) -> str:
    if profile.found.is_arriving:
        why["extract"] = "a file a day, by the dates in their names: each is read once"
        return "append"
    if is_event and updated:
        why["extract"] = f"{updated} says when a row changed: each version lands, the latest counts"
        return "upsert"
    if is_event and cursor:
        why["extract"] = "events only come; a keyed row that comes again with other values goes to quarantine"
        return "append"
    why["extract"] = "a list that changes: only changes land"
    return "snapshot"


def _key(profile: FeedProfile, match: Match | None, why: dict[str, str]) -> tuple[str, ...]:
    """The columns that fill the contract's key if they tell rows apart, else the fewest that do and are named so."""
    order = list(profile.columns)
    personal = set(personal_data(profile.columns, match.feed.pii if match else {}))
    keys = [key for key in profile.keys if not personal & set(key)]

    def rank(key: tuple[str, ...]) -> tuple[int, int, list[int]]:
        unnamed = sum(not KEY_NAME.search(plain_name(name)) for name in key)
        return len(key), unnamed, [order.index(name) for name in key]

    ranked = sorted(keys, key=rank)
    if not ranked and not profile.found.primary_key:
        return ()
    best = profile.found.primary_key or _key_of_contract(profile, match, keys) or ranked[0]
    why["key"] = "its primary key: " if profile.found.primary_key else ""
    why["key"] += f"no two of the {profile.rows:,} rows share it, none lacks it"
    if others := [" + ".join(key) for key in ranked if not set(key) <= set(best)][:3]:
        why["key"] += f"; so do {', '.join(others)}"
    return best


def _key_of_contract(profile: FeedProfile, match: Match | None, keys: list[tuple[str, ...]]) -> tuple[str, ...] | None:
    """In few rows less may be unique by chance: an order's line number alone."""
    if match is None or match.missing_key:
        return None
    chosen = tuple(dict.fromkeys(match.columns[name] for name in match.feed.key))
    holds = any(set(key) <= set(chosen) for key in keys)
    return chosen if holds and all(profile.columns[name].is_complete for name in chosen) else None


def _cursor(profile: FeedProfile, match: Match | None, why: dict[str, str]) -> str | None:
    """The column that says when a row belongs, and the range it spans."""
    name = match.columns.get(match.feed.date or "") if match else None
    if name is None:
        filled = [c for c in profile.columns.values() if c.is_moment and not UPDATED.search(plain_name(c.name))]
        name = min(filled, key=lambda column: column.nulls).name if filled else None
    if name:
        column = profile.columns[name]
        why["cursor"] = f"from {str(column.low)[:19]} to {str(column.high)[:19]}"
    return name


def _dated_by(profile: FeedProfile, others: Sequence[FeedProfile]) -> DatedBy | None:
    """A list of days, a row each, whose key is a column of the feed: the date dimension of a star schema."""
    for other in others:
        if other.found.table or other.found.is_arriving:
            continue
        for key in (unique[0] for unique in other.keys if len(unique) == 1):
            days = [
                column.name for column in other.columns.values() if column.is_moment and (column.name,) in other.keys
            ]
            if len(days) == 1 and days[0] != key and key in profile.columns and profile.columns[key].is_complete:
                return DatedBy(feed=other.found.name, key=key, column=days[0])
    return None


def _named(profile: FeedProfile, pattern: re.Pattern[str]) -> str | None:
    """The first column of such a name; what says when a row changed is a moment."""
    found = (column for name, column in profile.columns.items() if pattern.search(plain_name(name)))
    return next((column.name for column in found if pattern is DELETED or column.is_moment), None)


def _deleted_when(column: ColumnProfile) -> str:
    if column.kind == "BOOLEAN":
        return column.name
    return f"{column.name} = 1" if column.is_number else f"{column.name} is not null"


def _control_totals(match: Match | None) -> dict[str, str]:
    measures = CONTROL_TOTALS.get(match.feed.name, {}) if match else {}
    return {measure: match.columns[name] for measure, name in measures.items() if match and name in match.columns}


def _kind(column: ColumnProfile) -> str:
    """Whole amounts of money are decimals too: the next file may have cents."""
    if column.kind == "BIGINT" and is_money(column):
        return "DECIMAL(19,4)"
    return column.kind


def _questions(profile: FeedProfile, match: Match | None, key: tuple[str, ...], extract: str) -> list[str]:
    asked = []
    if match is None:
        asked.append("canonical: no feed of the contract was recognised; name it (docs/feeds.md), or leave it empty")
    else:
        if missing := match.missing_key:
            asked.append(
                f"key of {match.feed.name}: nothing was recognised as {', '.join(missing)}; see the staging model"
            )
        if match.feed.shape is Shape.EVENTS and extract == "snapshot":
            asked.append(f"{match.feed.name} are events, but no column says when they happened")
        if match.feed.shape is Shape.LIST and profile.found.is_arriving:
            asked.append(
                "files: is each the whole list? Then deliver the latest under one name, with extract: snapshot"
            )
    if extract == "append" and not key:
        asked.append("key: none was found, so rows are told apart by all columns and twins stay")
    if profile.rejected:
        asked.append(f"{profile.rejected:,} lines are no row and will be rejected; see `clientele source check`")
        if profile.rejected > profile.rows:
            asked.append("path: the first line is read as the names of the columns; is it that?")
    return asked


def as_record(draft: FeedDraft) -> dict[str, object]:
    """What the command shows of a drafted feed."""
    return {
        "feed": draft.name,
        "reads": draft.profile.found.path or draft.profile.found.table,
        "files": len(draft.profile.found.files),
        "rows": draft.profile.rows,
        "fills": draft.canonical,
        "extract": draft.extract,
        "key": list(draft.key),
        "dated_by": draft.cursor or (f"{draft.dated_by.feed}.{draft.dated_by.column}" if draft.dated_by else None),
        "personal_data": sorted(draft.personal),
        "decide": list(draft.decide),
    }
