"""Ask the served warehouse in the words of the metric dictionary.

from dagster_project.olap.cube import Cube

cube = Cube.open()
answer = cube.query("net_sales, buyers", by="product.department", where="calendar.quarter = '2017-Q1'")
answer.df()
answer.drill("GROCERY").df()
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.olap.answer import Answer
from dagster_project.olap.compiler import Statement, compile_query
from dagster_project.olap.conditions import read_conditions
from dagster_project.olap.dictionary import CubeError, Dictionary, Source, read_dictionary
from dagster_project.olap.navigation import condition, drilled, rolled_up
from dagster_project.olap.parts import Context
from dagster_project.olap.policies import Restriction, restriction
from dagster_project.olap.query import Query
from dagster_project.olap.querylog import QueryLog
from dagster_project.olap.router import Sizes
from dagster_project.olap.small_cells import without_small_cells
from dagster_project.served import connect
from dagster_project.settings import Settings, settings


class Cube:
    """The cubes of one release. A later release is another file: open again to see it."""

    def __init__(self, file: Path, log: QueryLog | None = None, role: str = "") -> None:
        """
        Args:
            file: warehouse.duckdb, or the link to it.
            log: where questions are noted for `advise`.
            role: whose policy applies to each question; empty for none.

        Raises:
            ClienteleError: there is no such file. CubeError: it holds no metric dictionary, or knows no such role.
        """
        self.connection = connect(file)
        self.file = file.resolve()
        self.log = log
        self.dictionary: Dictionary = read_dictionary(self.connection)
        self.restriction = restriction(role, self.dictionary)
        self._spans: dict[str, tuple[date, date]] = {}
        self._compiled = lru_cache(maxsize=512)(self._compile)

    @classmethod
    def open(cls, where: Settings | Path | str | None = None, role: str | None = None) -> Cube:
        """The served release of an installation, or a file of one; as a role, by default CLIENTELE_ROLE."""
        chosen = where if isinstance(where, Settings) else settings()
        known = chosen.role if role is None else role
        if isinstance(where, str | Path):
            return cls(Path(where), role=known)
        return cls(chosen.warehouse, QueryLog(chosen.home / "queries"), known)

    def close(self) -> None:
        self.connection.close()

    def query(
        self,
        metrics: str | Sequence[str],
        by: str | Sequence[str] = (),
        where: str | Sequence[str] = (),
        order: str | Sequence[str] = (),
        limit: int = 0,
    ) -> Answer:
        """Metrics by levels, where conditions hold. See `Query` for the words.

        Raises:
            CubeError: a name is not known, with the near ones; or the combination makes no sense, and why.
        """
        return self.ask(Query.of(metrics, by, where, order, limit))

    def slice(
        self, metrics: str | Sequence[str], level: str, member: Any, by: str | Sequence[str] = (),
        where: str | Sequence[str] = (),
    ) -> Answer:  # fmt: skip
        """One member of a level held fast."""
        return self.ask(holding(Query.of(metrics, by, where), {level: [member]}, self.dictionary))

    def dice(
        self, metrics: str | Sequence[str], members: Mapping[str, Sequence[Any]], by: str | Sequence[str] = (),
        where: str | Sequence[str] = (),
    ) -> Answer:  # fmt: skip
        """Several members of several levels: `{"product.department": ["GROCERY", "DRUG GM"]}`."""
        return self.ask(holding(Query.of(metrics, by, where), members, self.dictionary))

    def ask(self, query: Query) -> Answer:
        """The same, from a `Query`.

        Raises:
            CubeError: a condition compares a level with what it can't be, or what `query` raises.
        """
        statement = self.compile(query)
        begun = time.perf_counter()
        try:
            table = self.connection.sql(statement.sql).to_arrow_table()
        except (duckdb.ConversionException, duckdb.BinderException) as error:
            levels = {level for item in read_conditions(query.where, self.dictionary) for level in item.levels}
            if not levels:
                raise
            # names were checked, so it is a member of another type than its level
            types = ", ".join(sorted(f"{level.name} is of type {level.data_type}" for level in levels))
            raise CubeError(
                f"a condition can't be compared: {str(error).partition(': ')[2].splitlines()[0]}",
                remedy=f"{types}; members: clientele cube describe LEVEL",
            ) from None
        if self.restriction is not None and statement.guards is not None:
            table = without_small_cells(table, statement, self.restriction.policy, self.dictionary)
        seconds = time.perf_counter() - begun
        if self.log is not None:
            asked_by = self.restriction.policy.name if self.restriction is not None else ""
            self.log.note(query, statement, self.dictionary, role=asked_by, rows=table.num_rows, seconds=seconds)
        return Answer(self, query, statement, table, seconds)

    def compile(self, query: Query) -> Statement:
        """The SQL a question becomes; a question asked before is not compiled again."""
        return self._compiled(query)

    def drill(self, query: Query, member: Any, level: str = "") -> Query:
        """The next level below a member of the last level asked by."""
        return drilled(query, member, level, self.dictionary)

    def roll_up(self, query: Query, level: str = "") -> Query:
        """The level above the last one asked by, without the condition that drilling added."""
        return rolled_up(query, level, self.dictionary)

    def _compile(self, query: Query) -> Statement:
        return compile_query(query, self.context(self.restriction))

    def context(self, held_to: Restriction | None) -> Context:
        """What compiling a question rests on, for a role."""
        return Context(self.dictionary, self.sizes, (), self.span, held_to)

    def span(self, source: Source) -> tuple[date, date]:
        """First and last day that a source has rows of.

        Raises:
            CubeError: it has none, so nothing about its days is measured.
        """
        if source.name not in self._spans:
            table = next((r.table for r in source.rollups if r.period == "day" and not r.grain), source.fact)
            found = self.connection.execute(f"select min({source.day}), max({source.day}) from {table}").fetchall()[0]
            if found[0] is None:
                raise CubeError(f"{source.fact} is empty: no enabled source fills it", remedy="see: clientele catalog")
            self._spans[source.name] = (found[0], found[1])
        return self._spans[source.name]

    @cached_property
    def sizes(self) -> Sizes:
        """Rows of tables and grains, and the columns of tables."""
        tables = self.connection.execute(
            "select schema_name || '.' || table_name, estimated_size from duckdb_tables() where not internal"
        ).fetchall()
        columns: dict[str, set[str]] = {}
        for name, column in self.connection.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns() where not internal"
        ).fetchall():
            columns.setdefault(name, set()).add(column)
        rows = {name.removeprefix("cube."): size for name, size in tables} | dict(tables)
        for source in self.dictionary.sources.values():
            if source.fact not in rows:  # a view
                rows[source.fact] = self._value(f"select count(*) from {source.fact}")
            named = {(r.table, r.grain): r.name for r in source.rollups if r.grain}
            for table in dict.fromkeys(table for table, _ in named):
                counted = self.connection.execute(f"select grain, count(*) from {table} group by grain").fetchall()
                rows |= {named[table, grain]: count for grain, count in counted if (table, grain) in named}
        return Sizes(rows, columns, self._unique(), self._apart())

    def _unique(self) -> frozenset[str]:
        """Levels of grains by key whose members have one key each; a store number of two systems has two."""
        dimensions, levels = self.dictionary.dimensions, self.dictionary.levels
        asked = {
            level
            for source in self.dictionary.sources.values()
            for rollup in source.rollups
            for level in rollup.levels
            if rollup.grain and level.partition(".")[0] in rollup.keys
        }
        found = set()
        for name in asked:
            level = levels[name]
            member = f"coalesce({level.expr}, '(unknown)')" if level.is_text else level.expr
            table = dimensions[level.dimension].table
            if self._value(f"select count(*) = count(distinct {member}) from {table}"):
                found.add(name)
        return frozenset(found)

    def _apart(self) -> frozenset[tuple[str, str]]:
        """Rollups and measures with as many rows as members: as the total has counted them, none is in two rows."""
        found = set()
        for source in self.dictionary.sources.values():
            totals = [r for r in source.rollups if r.grain and r.period == "all" and not r.levels]
            for rollup in source.rollups:
                for measure in rollup.counted:
                    for total in totals:
                        members = self._value(f"select max({measure}) from {total.table} where grain = '{total.grain}'")
                        if members == self._value(f"select count(*) from {rollup.table}"):
                            found.add((rollup.name, measure))
        return frozenset(found)

    def _value(self, sql: str) -> Any:
        return self.connection.execute(sql).fetchall()[0][0]

    @cached_property
    def release(self) -> dict[str, Any]:
        """Which release this is, and how fresh: the date of its last load and the last day each source has rows of."""
        name = self.file.parent.name
        spans: dict[str, str | None] = {}
        for source in self.dictionary.sources.values():
            try:
                spans[source.name] = self.span(source)[1].isoformat()
            except CubeError:
                spans[source.name] = None
        loaded = self.connection.execute(
            "select max(load_date) from ops.load where status not in ('failed', 'crashed')"
        ).fetchall()[0][0]
        return {"release": name, "load_date": loaded, "last_day": spans}


def holding(query: Query, members: Mapping[str, Sequence[Any]], dictionary: Dictionary) -> Query:
    """The same question for some members of levels only."""
    kept = tuple(condition(dictionary.level(level).name, chosen) for level, chosen in members.items())
    return replace(query, where=(*query.where, *kept))
