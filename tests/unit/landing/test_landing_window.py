"""The window a load reads: literals in the zone of the cursor's values, so that row groups are skipped."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from dagster_project.landing.source import Source
from dagster_project.landing.window import Cursor, Window


def cursor(zone: str | None = None, kind: str = "TIMESTAMP", **feed: Any) -> Cursor:
    lines = {
        "source": "shop",
        "name": "lines",
        "path": "lines.csv",
        "class": "transactional",
        "canonical": "order_lines",
        "extract": "append",
        "cursor": "moment",
        "cursor_zone": zone,
        "columns": {"moment": kind},
    }
    said = {
        "name": "shop",
        "kind": "files",
        "root": "x",
        "timezone": "America/New_York",
        "feeds": {"lines": lines | feed},
    }
    source = Source.model_validate(said)
    made = Cursor.of(source, source.feeds["lines"], dict(source.feeds["lines"].columns))
    assert made
    return made


def local(text: str) -> datetime:
    """A naive local moment, as windows and manifests have them."""
    return datetime.fromisoformat(text)


def test_the_first_window_has_no_beginning_and_ends_with_the_load_date() -> None:
    assert Window.of(date(2017, 3, 1), None, timedelta(days=7)) == Window(None, local("2017-03-02"))


def test_later_windows_begin_a_look_back_before_the_watermark() -> None:
    assert Window.of(date(2017, 3, 1), local("2017-03-01"), timedelta(days=7)).low == local("2017-02-22")


@pytest.mark.parametrize(
    ("day", "in_utc"),
    [
        ("2017-03-12", "2017-03-12 05:00:00"),  # the day the clocks go forward begins in winter time
        ("2017-03-13", "2017-03-13 04:00:00"),
        ("2017-11-05", "2017-11-05 04:00:00"),  # the day they go back begins in summer time
        ("2017-11-06", "2017-11-06 05:00:00"),
    ],
)
def test_bounds_are_the_sources_midnight_in_the_zone_of_the_values(day: str, in_utc: str) -> None:
    window = Window(None, local(day))

    assert f"< timestamp '{in_utc}'" in cursor("UTC").within(window)
    assert f"< timestamptz '{in_utc}+00'" in cursor(kind="TIMESTAMP WITH TIME ZONE").within(window)
    assert f"< timestamp '{day} 00:00:00'" in cursor().within(window)
    assert f"< timestamp '{day} 00:00:00'" in cursor("America/New_York").within(window)


def test_rows_without_a_cursor_are_always_in_the_window_so_that_they_can_not_vanish() -> None:
    assert 'or "moment" is null' in cursor("UTC").within(Window(local("2017-03-01"), local("2017-03-02")))
