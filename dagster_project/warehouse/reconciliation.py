"""Reconciliation: what landed = what the facts hold = what the cubes say, to the cent, or no publish.

What is compared stands with the models (`meta`): a fact or dimension names the canonical feed it `reconciles` and its
measures, a cube the table it is built from. A landed feed is compared with the facts its rows go to, together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from dagster_project.contract.contract import read_contract
from dagster_project.landing.manifest import Landing, Manifest
from dagster_project.landing.source import Extract, Feed
from dagster_project.warehouse import fingerprints


class Rows(Protocol):
    """What a query gave."""

    def fetchall(self) -> list[tuple[Any, ...]]: ...


class Reader(Protocol):
    """A connection that answers queries of a build: DuckDB's own, or Spark's."""

    def execute(self, query: str, /) -> Rows: ...


@dataclass(frozen=True)
class Comparison:
    """One measure of a pair of tables; `query` yields the actual value."""

    from_table: str
    to_table: str
    measure: str
    expected: Decimal
    actual: Decimal
    query: str

    @property
    def difference(self) -> Decimal:
        return self.actual - self.expected

    @property
    def agrees(self) -> bool:
        return self.difference == 0


@dataclass(frozen=True)
class Sum:
    """An aggregate over the rows of a table, as SQL."""

    table: str
    expression: str
    where: str = ""

    @property
    def query(self) -> str:
        return f"select {self.expression} as value from {self.table}{self.where}"


@dataclass(frozen=True)
class Asked:
    """A comparison whose sums are not known yet; `actual` are added."""

    from_table: str
    measure: str
    expected: Decimal | Sum
    actual: tuple[Sum, ...]

    @property
    def sums(self) -> tuple[Sum, ...]:
        return (self.expected, *self.actual) if isinstance(self.expected, Sum) else self.actual

    def answered(self, values: dict[Sum, Decimal]) -> Comparison:
        queries = [found.query for found in self.actual]
        return Comparison(
            from_table=self.from_table,
            to_table=" + ".join(found.table for found in self.actual),
            measure=self.measure,
            expected=values[self.expected] if isinstance(self.expected, Sum) else self.expected,
            actual=sum((values[found] for found in self.actual), Decimal(0)),
            query=queries[0] if len(queries) == 1 else f"select sum(value) from ({' union all '.join(queries)})",
        )


@dataclass(frozen=True)
class Table:
    """A table that reconciles with a canonical feed: measures of a fact, current members of a dimension."""

    name: str
    measures: dict[str, str]
    current: str | None


def reconcile(con: Reader, parsed: fingerprints.Manifest, landing: Landing, feeds: Iterable[Feed]) -> list[Comparison]:
    """Compare every table that declares what it reconciles with; whole tables, not just the night's rows.

    A sum over one column of a fact costs 30 ms at 73M rows; a difference can then hide nowhere.

    Args:
        feeds: those of the enabled sources; what others landed is in no table.
    """
    tables = reconciling_tables(parsed)
    landed = [(feed, batches) for feed in feeds if (batches := landing.batches(feed.id))]
    sharing = Counter(name for feed, _ in landed for name in feed.canonical)
    asked: list[Asked] = []
    for feed, batches in landed:
        for destinations in compared(feed, tables):
            shared = any(sharing[name] > 1 for name in destinations)
            asked.extend(_with_tables(feed, [tables[name] for name in destinations], batches, shared=shared))
    for node in fingerprints.models(parsed).values():
        meta = node["config"].get("meta") or {}
        if source := meta.get("reconciles_table"):
            table = f"{node['schema']}.{node['name']}"
            for measure, (of_source, of_table) in meta["measures"].items():
                asked.append(Asked(source, measure, Sum(source, of_source), (Sum(table, of_table),)))
    values = _values(con, (found for comparison in asked for found in comparison.sums))
    return [comparison.answered(values) for comparison in asked]


def reconciling_tables(parsed: fingerprints.Manifest) -> dict[str, Table]:
    """Canonical feed -> the fact or dimension that holds it."""
    return {
        meta["reconciles"]: Table(f"{node['schema']}.{node['name']}", meta.get("measures", {}), meta.get("current"))
        for node in fingerprints.models(parsed).values()
        if "reconciles" in (meta := node["config"].get("meta") or {})
    }


def compared(feed: Feed, tables: dict[str, Table]) -> list[tuple[str, ...]]:
    """The canonical feeds a landed feed is compared in: its events together, or each of its lists.

    Nothing while one of its events has no fact yet: its rows would be missing in the sum. A list derived from events
    has no rows of its own to compare, nor have events derived from a list (named first: a row is a member, of whom an
    event may be told), nor has a list of appended changes; versions of members are no members.
    """
    events = read_contract().events(feed.canonical)
    if events and feed.canonical[0] in events:
        return [events] if all(name in tables for name in events) else []
    if feed.extract is Extract.APPEND or feed.versions_of:
        return []
    return [(name,) for name in read_contract().lists(feed.canonical) if name in tables]


def _with_tables(feed: Feed, tables: list[Table], batches: list[Manifest], *, shared: bool) -> Iterator[Asked]:
    """Compare a landed feed with its tables; restricted to the feed's rows where others go there too."""
    # the totals of an upsert feed's batches are what they change: their sum is that of the current versions
    by_keys = any(table.current for table in tables)
    measures = ["rows"] if by_keys else ["rows", *feed.control_totals]
    of_feed = f" where audit_key in (select audit_key from star.dim_audit where source_feed = '{feed.id}')"
    for measure in measures:
        sums = tuple(
            Sum(table.name, expression, of_feed if shared else "")
            for table in tables
            if (expression := table.current if table.current else table.measures.get(measure))
        )
        if not sums:
            continue
        if by_keys:
            expected = Decimal(batches[-1].current_keys or 0)
        else:
            totals = (month.get(measure, "0") for manifest in batches for month in manifest.months.values())
            expected = sum(map(Decimal, totals), Decimal(0))
        yield Asked(f"feed {feed.id}", "current keys" if by_keys else measure, expected, sums)


def _values(con: Reader, sums: Iterable[Sum]) -> dict[Sum, Decimal]:
    """Each sum's value. One query for all of the same rows: 340 single ones took Spark 14 s over tables of few rows."""
    of_rows: dict[tuple[str, str], dict[Sum, None]] = {}
    for found in sums:
        of_rows.setdefault((found.table, found.where), {})[found] = None
    values: dict[Sum, Decimal] = {}
    for (table, where), asked in of_rows.items():
        row = con.execute(f"select {', '.join(each.expression for each in asked)} from {table}{where}").fetchall()[0]
        values |= {each: Decimal(str(value or 0)) for each, value in zip(asked, row, strict=True)}
    return values
