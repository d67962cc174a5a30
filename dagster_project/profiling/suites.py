"""Expectation suites proposed from a profile: what makes a row unusable, and what has not been seen before.

Ranges and sets are what the profile saw, with a margin, so they only warn. Uniqueness is not asked for: landing knows
every key it has seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from dagster_project.profiling.discover import plain_name
from dagster_project.profiling.draft import FeedDraft
from dagster_project.profiling.profile import KEY_NAME, ColumnProfile

MOST_CODES = 25
ROWS_PER_CODE = 5  # a column is a code if a value repeats that often on average
TOLERATED = {"tolerated_rows": 100, "tolerated_share": 0.05}


def suite(source: str, feed: FeedDraft) -> str:
    """The suite file of a feed."""
    rules = [*_keys(feed), *_values(feed)]
    content = {"name": f"landing.{source}.{feed.name}", "expectations": rules}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _keys(feed: FeedDraft) -> Iterator[dict[str, Any]]:
    """Without them a row is of no use; many such rows mean a broken delivery."""
    needed = list(dict.fromkeys([*feed.key, *filter(None, [feed.cursor, feed.updated_at])]))
    for name in needed:
        if not feed.profile.columns[name].is_complete:
            continue
        why = (
            f"Without {name} the row can't be told from others."
            if name in feed.key
            else f"Without {name} nobody can say when the row belongs."
        )
        yield _not_null(name, "quarantine", why)
    if needed:
        condition = " and ".join(f"{_quoted(name)} is not null" for name in needed)
        yield {
            "type": "expect_rows_to_meet",
            "kwargs": {"condition": condition, **TOLERATED},
            "meta": {
                "rule": "keys_mostly_present",
                "severity": "critical",
                "why": "So many rows without a key or a date mean a broken extract.",
            },
        }


def _values(feed: FeedDraft) -> Iterator[dict[str, Any]]:
    known = {*feed.key, feed.cursor, feed.updated_at}
    for name, column in feed.profile.columns.items():
        if name in known or name in feed.personal or not column.samples:
            continue
        if column.is_complete:
            yield _not_null(name, "warning", f"No row lacked {name} when the source was profiled.")
        if column.is_number and not KEY_NAME.search(plain_name(name)):
            yield _between(column)
        elif column.is_text and _is_code(column, feed.profile.rows):
            yield _in_set(column)


def _is_code(column: ColumnProfile, rows: int) -> bool:
    return 0 < len(column.codes) <= MOST_CODES and column.distinct * ROWS_PER_CODE <= rows


def _not_null(name: str, severity: str, why: str) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {"column": name},
        "meta": {"rule": f"{plain_name(name)}_present", "severity": severity, "why": why},
    }


def _between(column: ColumnProfile) -> dict[str, Any]:
    low, high = margin(column.low, column.high)
    return {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": column.name, "min_value": low, "max_value": high},
        "meta": {
            "rule": f"{plain_name(column.name)}_in_range",
            "severity": "warning",
            "why": f"{column.name} lies far outside what was seen when the source was profiled.",
        },
    }


def margin(low: Any, high: Any) -> tuple[int, int]:
    """A range with room: as far again as it is wide on both sides, but not below zero if nothing was."""
    low, high = Decimal(str(low)), Decimal(str(high))
    room = max(high - low, abs(high), Decimal(1))
    least = min(low, Decimal(0)) if low >= 0 else low - room
    return int(least.to_integral_value("ROUND_FLOOR")), int((high + room).to_integral_value("ROUND_CEILING"))


def _in_set(column: ColumnProfile) -> dict[str, Any]:
    return {
        "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": column.name, "value_set": sorted(column.codes)},
        "meta": {
            "rule": f"{plain_name(column.name)}_known",
            "severity": "warning",
            "why": f"A code of {column.name} that was not there when the source was profiled.",
        },
    }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
