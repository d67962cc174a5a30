"""What is asked: metrics by levels, where a condition holds; and the words a metric can be varied by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.olap.dictionary import CubeError, Dictionary, Level, Metric, found

TO_DATE = ("week", "month", "quarter", "year", "retail_month", "retail_quarter", "retail_year")
ROLLING_DAYS = (7, 28, 91, 365)


@dataclass(frozen=True)
class Window:
    """Which days a measure is taken over, seen from the period of a cell.

    kind: `previous` (the period before), `year_ago` (the same period a year before; 52 weeks for weeks), `to_date`
    (from the first day of `unit`), `days` or `months` (the `length` that end with the period).
    """

    kind: str
    unit: str = ""
    length: int = 0


@dataclass(frozen=True)
class Variant:
    """A word after a metric's name: `net_sales.year_over_year`.

    Attributes:
        window: days the metric is taken over; None: those of the period.
        then: what is done with it: `value`, `growth` against it, `share`, `share_of_parent`, `rank`.
    """

    name: str
    description: str
    window: Window | None = None
    then: str = "value"


def _variants() -> dict[str, Variant]:
    listed = [
        Variant("previous_period", "the period before", Window("previous")),
        Variant(
            "period_over_period", "growth against the period before: x / previous - 1", Window("previous"), "growth"
        ),
        Variant("previous_year", "the same period a year before; for weeks 52 weeks before", Window("year_ago")),
        Variant("year_over_year", "growth against the same period a year before", Window("year_ago"), "growth"),
        Variant("share", "share of the total over all members, within the period", then="share"),
        Variant("share_of_parent", "share of the member above the last level", then="share_of_parent"),
        Variant("rank", "1 is the highest; equals share a rank; within the period", then="rank"),
        Variant("rolling_12_months", "the 12 months that end with the period", Window("months", length=12)),
    ]
    for unit in TO_DATE:
        told = f"from the first day of the {unit.replace('_', ' ')} to the end of the period"
        listed.append(Variant(f"{unit}_to_date", told, Window("to_date", unit)))
    for days in ROLLING_DAYS:
        listed.append(
            Variant(f"rolling_{days}_days", f"the {days} days that end with the period", Window("days", "", days))
        )
    return {variant.name: variant for variant in listed}


VARIANTS = _variants()


@dataclass(frozen=True)
class Asked:
    """A metric and how it is varied; `name` is the column of the answer."""

    name: str
    metric: Metric
    variant: Variant | None


@dataclass(frozen=True)
class Query:
    """One question, in names.

    Attributes:
        metrics: `net_sales`, or varied: `net_sales.year_to_date`.
        by: levels: `product.department`.
        where: conditions over levels, all of which must hold: `"store.store_id = '367'"`.
        order: columns of the answer to order by, `-` before one for descending; the levels if empty.
        limit: at most so many rows; 0 for all.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    limit: int = 0

    @classmethod
    def of(
        cls,
        metrics: str | Sequence[str],
        by: str | Sequence[str] = (),
        where: str | Sequence[str] = (),
        order: str | Sequence[str] = (),
        limit: int = 0,
    ) -> Query:
        """Takes lists, or names separated by commas; a condition may hold commas, so only a list is several."""
        conditions = (where,) if isinstance(where, str) else tuple(where)
        return cls(_names(metrics), _names(by), tuple(c for c in conditions if c.strip()), _names(order), limit)


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    parts = given.split(",") if isinstance(given, str) else given
    return tuple(dict.fromkeys(name for part in parts if (name := part.strip())))


@dataclass(frozen=True)
class Resolved:
    """A question whose names are known."""

    asked: tuple[Asked, ...]
    by: tuple[Level, ...]
    order: tuple[str, ...]
    limit: int


def resolve(query: Query, dictionary: Dictionary) -> Resolved:
    """Look all names up.

    Raises:
        CubeError: a name is not known, with the near ones; a metric has no such level, and why.
    """
    if not query.metrics:
        raise CubeError("no metric is asked for", remedy="name one: --metrics net_sales")
    by = tuple(dictionary.level(name) for name in query.by)
    asked = tuple(_asked(name, dictionary) for name in query.metrics)
    for item in asked:
        check_dimensions(item.metric, by, dictionary)
    columns = [level.name for level in by] + [item.name for item in asked]
    for name in query.order:
        found(dict.fromkeys(columns, 0), name.removeprefix("-"), "column to order by")
    return Resolved(asked, by, query.order, query.limit)


def _asked(name: str, dictionary: Dictionary) -> Asked:
    plain, _, word = name.partition(".")
    metric = dictionary.metric(plain)
    if not word:
        return Asked(name, metric, None)
    variant: Variant = found(VARIANTS, word, f"variant of {plain}")
    if variant.window is not None and metric.type in {"cumulative", "movement", "repeat", "conversion"}:
        raise CubeError(
            f"{name}: {plain} is taken over days of its own, which {word} can't change",
            remedy=f"ask for {plain}, or vary the metric it rests on",
        )
    return Asked(name, metric, variant)


def check_dimensions(metric: Metric, levels: Sequence[Level], dictionary: Dictionary) -> None:
    """Every source of the metric must know the level's dimension.

    Raises:
        CubeError: says which of them does not.
    """
    common = dictionary.dimensions_of(metric)
    for level in levels:
        if level.dimension in common:
            continue
        without = sorted(
            {
                f"{name} ({source.fact})"
                for name in dictionary.measures_of(metric)
                if level.dimension not in (source := dictionary.sources[dictionary.measure(name).source]).entities
            }
        )
        raise CubeError(
            f"{metric.name} can't be told by {level.name}: {', '.join(without)} has no {level.dimension}",
            remedy=f"{metric.name} knows: {', '.join(common)}",
        )
