"""Is a feed as fresh, and as large, as its own past says it should be?

Pure functions. Limits come from the median and the median absolute deviation (MAD) of the feed's
history, so the first bulk load or one odd night doesn't move them, and nothing is configured.
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from math import ceil
from statistics import median

from dagster_project.quality.results import CheckResult, Severity

MINIMUM_HISTORY = 5
"""Past values needed before a verdict: with fewer, a median says little."""

SPREAD = 4.0
"""How many robust standard deviations are still usual."""

MAD_TO_SIGMA = 1.4826
"""MAD of a normal distribution to its standard deviation."""


def assess_freshness(
    newest: date | None,
    load_date: date,
    past_dates: Sequence[date],
    *,
    source: str,
    feed: str,
    severity: Severity = Severity.WARNING,
) -> CheckResult:
    """Whether the newest business date is older than the feed's usual rhythm explains.

    Args:
        newest: latest business date the feed has landed, this load included; None if nothing yet.
        load_date: the date being loaded.
        past_dates: latest business date of each earlier batch that brought rows, any order.

    The usual gap is the median of the gaps between those dates; the limit is that median plus
    the larger of `SPREAD` deviations, half the gap and one day.
    """
    dates = sorted(set(past_dates))
    gaps = [(later - earlier).days for earlier, later in pairwise(dates)]
    result = _Verdict(source, feed, "freshness", severity, len(gaps))
    if newest is None:
        return result.unjudged("nothing has landed yet")
    age = (load_date - newest).days
    if len(gaps) < MINIMUM_HISTORY:
        known = f"{len(gaps)} of the {MINIMUM_HISTORY} past intervals needed"
        return result.unjudged(known, f"{age} days old")
    usual = median(gaps)
    limit = ceil(usual + max(SPREAD * _sigma(gaps), usual / 2, 1.0))
    explained = (
        f"newest rows are of {newest}, {age} days before {load_date}; "
        f"they usually come every {usual:g} days, late after {limit}"
    )
    return result.judged(age <= limit, f"{age} days old, limit {limit}", explained)


def assess_volume(
    rows: int,
    past_rows: Sequence[int],
    *,
    source: str,
    feed: str,
    load_date: date | None = None,
    past_dates: Sequence[date] = (),
    severity: Severity = Severity.WARNING,
) -> CheckResult:
    """Whether a batch is far smaller or larger than the feed's usual one.

    Args:
        rows: rows read for this load.
        past_rows: rows read by each earlier load that read the feed.
        load_date, past_dates: with the load date and the dates of `past_rows` (same order), a batch is
            compared with those of its own weekday as soon as there are `MINIMUM_HISTORY` of them.

    Usual is the median, give or take the larger of `SPREAD` deviations and half the median.

    Raises:
        ValueError: past_dates are given but not one for each of past_rows.
    """
    history, kind = _comparable(past_rows, load_date, past_dates)
    result = _Verdict(source, feed, "volume", severity, len(history))
    if len(history) < MINIMUM_HISTORY:
        return result.unjudged(f"{len(history)} of the {MINIMUM_HISTORY} past loads needed", f"{rows} rows")
    usual = median(history)
    slack = max(SPREAD * _sigma(history), usual / 2, 1.0)
    low, high = max(0.0, usual - slack), usual + slack
    explained = f"{rows:,} rows; {kind} usually brings {usual:,.0f}, between {low:,.0f} and {high:,.0f}"
    return result.judged(low <= rows <= high, f"{rows} rows, usual {low:.0f} to {high:.0f}", explained)


def _comparable(past_rows: Sequence[int], load_date: date | None, past_dates: Sequence[date]) -> tuple[list[int], str]:
    if load_date is None or not past_dates:
        return list(past_rows), "a load"
    weekday = load_date.weekday()
    same_day = [n for n, day in zip(past_rows, past_dates, strict=True) if day.weekday() == weekday]
    if len(same_day) < MINIMUM_HISTORY:
        return list(past_rows), "a load"
    return same_day, f"a {load_date:%A}"


def _sigma(values: Sequence[float]) -> float:
    centre = median(values)
    return MAD_TO_SIGMA * median([abs(value - centre) for value in values])


class _Verdict:
    """The parts of a result that don't depend on the verdict."""

    def __init__(self, source: str, feed: str, rule: str, severity: Severity, history: int) -> None:
        self._source, self._feed, self._rule = source, feed, rule
        self._severity, self._history = severity, history

    def judged(self, success: bool, observed: str, explained: str) -> CheckResult:
        """A verdict with the figures behind it."""
        return CheckResult(
            source=self._source,
            feed=self._feed,
            rule=self._rule,
            expectation=f"feed_{self._rule}",
            column=None,
            severity=self._severity,
            success=success,
            element_count=self._history,
            unexpected_count=0 if success else 1,
            observed=observed,
            message=f"{self._source}.{self._feed}: {self._rule}: {explained}",
        )

    def unjudged(self, why: str, observed: str | None = None) -> CheckResult:
        """No verdict, which counts as success and says why."""
        return self.judged(True, observed or "not judged", f"not judged, {why}")
