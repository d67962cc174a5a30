"""The span of time a load reads from a feed, and the business date of a row.

A load date D covers [D 00:00, D+1 00:00) in the source's zone. Bounds are written as literals in the zone
the cursor's values are in, so that Parquet row groups outside are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dagster_project.landing import sql
from dagster_project.landing.source import Feed, Source


@dataclass(frozen=True)
class Window:
    """Local, naive bounds: [low, high); low None means from the beginning."""

    low: datetime | None
    high: datetime

    @classmethod
    def of(cls, load_date: date, watermark: datetime | None, overlap: timedelta) -> Window:
        high = datetime.combine(load_date + timedelta(days=1), time())
        return cls(watermark - overlap if watermark else None, high)

    def reaching_back_to(self, low: datetime | None) -> Window:
        """The window, begun earlier if need be."""
        return Window(min(self.low, low) if self.low and low else None, self.high)


@dataclass(frozen=True)
class Cursor:
    """SQL of a feed's cursor and of its local business date.

    Attributes:
        value: expression over the feed's columns (or over the feed it is dated by).
        zone: the zone of the values; None when they are local already.
        aware: the values are timestamps with time zone.
    """

    value: str
    local_zone: str
    zone: str | None
    aware: bool

    @classmethod
    def of(cls, source: Source, feed: Feed, columns: dict[str, str]) -> Cursor | None:
        if by := feed.dated_by:
            other = source.feeds[by.feed]
            # the date is in the zone of the other feed's cursor, if that is what it is
            zoned = other.cursor_zone if other.cursor == by.column else None
            return cls._of("_dated._date", source, zoned, other.columns[by.column])
        if feed.cursor is None:
            return None
        value = sql.quote(feed.cursor) if feed.cursor in columns else f"({feed.cursor})"
        return cls._of(value, source, feed.cursor_zone, columns.get(feed.cursor, ""))

    @classmethod
    def of_versions(cls, source: Source, feed: Feed, columns: dict[str, str]) -> Cursor:
        """The cursor of an upsert feed: when a row was last changed."""
        said = feed.updated_at or ""
        value = sql.quote(said) if said in columns else f"({said})"
        return cls._of(value, source, feed.cursor_zone, columns.get(said, ""))

    @classmethod
    def _of(cls, value: str, source: Source, zone: str | None, kind: str) -> Cursor:
        aware = kind == "TIMESTAMP WITH TIME ZONE"
        return cls(value, source.timezone, zone if zone != source.timezone else None, aware)

    @property
    def business_date(self) -> str:
        local, zone = sql.literal(self.local_zone), sql.literal(self.zone or "")
        if self.aware:
            return f"cast({self.value} at time zone {local} as date)"
        if self.zone:
            return f"cast(({self.value} at time zone {zone}) at time zone {local} as date)"
        return f"cast({self.value} as date)"

    @property
    def moment(self) -> str:
        """A TIMESTAMP that orders rows as the cursor does: in UTC, or in the zone of the values."""
        return f"({self.value} at time zone 'UTC')" if self.aware else f"cast({self.value} as timestamp)"

    def local(self, moment: datetime) -> datetime:
        """A `moment` as wall-clock time of the source."""
        zone = UTC if self.aware else ZoneInfo(self.zone) if self.zone else None
        if zone is None:
            return moment
        return moment.replace(tzinfo=zone).astimezone(ZoneInfo(self.local_zone)).replace(tzinfo=None)

    def within(self, window: Window) -> str:
        """True for rows of the window and for rows whose cursor is NULL (they must not vanish)."""
        low = f"{self.value} >= {self._literal(window.low)} and " if window.low else ""
        return f"({low}{self.value} < {self._literal(window.high)} or {self.value} is null)"

    def _literal(self, local: datetime) -> str:
        if not (self.aware or self.zone):
            return f"timestamp '{local:%Y-%m-%d %H:%M:%S}'"
        moment = local.replace(tzinfo=ZoneInfo(self.local_zone))
        if self.aware:
            return f"timestamptz '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}+00'"
        return f"timestamp '{moment.astimezone(ZoneInfo(self.zone or 'UTC')):%Y-%m-%d %H:%M:%S}'"
