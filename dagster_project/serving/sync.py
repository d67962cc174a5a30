"""Bring the store to the served release: what changed, in one transaction; tables of a new shape are filled beside.

The file is the truth, the store follows. A sync that breaks off leaves the former state; the next one finishes. Which
parts of a table changed is told by sums kept in the store, so a rollback, a rebuild or nights that were missed cost
what they changed, too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb

from dagster_project.errors import ClienteleError, LockedError
from dagster_project.landing import sql
from dagster_project.landing.sql import quote
from dagster_project.olap.dictionary import Dictionary, read_dictionary
from dagster_project.serving import access, ddl, state
from dagster_project.serving.postgres import LOCK, Postgres, StoreError, literal, open_store
from dagster_project.serving.state import BESIDE, State
from dagster_project.serving.tables import (
    PERSONAL,
    Table,
    View,
    part_sums,
    personal_table,
    served_tables,
    served_views,
)
from dagster_project.settings import Settings
from dagster_project.warehouse.releases import FILE, PII_FILE, Release, releases_of

ROWS = 100_000  # a record batch
CHANGED = 0.1  # share of a table's rows from which on its statistics are taken anew

Tell = Callable[[str], None]


@dataclass
class Synced:
    """What a sync did."""

    release: str
    load_date: str
    tables: int
    made_anew: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    rows_sent: int = 0
    rows_deleted: int = 0
    seconds: float = 0.0

    def as_record(self) -> dict[str, Any]:
        return asdict(self)


def sync(settings: Settings, *, full: bool = False, tell: Tell = lambda _: None) -> Synced:
    """Send what the store lacks of the served release.

    Args:
        full: send every row again, in place, whatever the store says it holds.
        tell: is told what happens, a line each.

    Raises:
        ClienteleError: nothing is served yet. ConfigurationError: there is no store.
        LockedError: another sync runs. StoreError: the store refused; it keeps its former state.
    """
    release = releases_of(settings).current()
    if release is None:
        raise ClienteleError("there is no warehouse yet to send", remedy="run: clientele load")
    began = time.perf_counter()
    file = settings.releases / release.release / FILE
    config = sql.CONFIG | {"memory_limit": settings.memory_limit, "threads": settings.threads}
    with open_store(settings) as store, duckdb.connect(str(file), read_only=True, config=config) as con:
        if store.ask(f"select pg_try_advisory_lock({LOCK})") != [(True,)]:
            raise LockedError("another sync of the store runs", remedy="let it end: this one would do the same")
        manifest = json.loads((file.parent / "target" / "manifest.json").read_text(encoding="utf-8"))
        tables = served_tables(con, manifest, settings.pg_facts)
        if settings.pg_pii and (file.parent / PII_FILE).exists():
            con.execute(f"attach {literal(file.parent / PII_FILE)} as pii (read_only)")
            tables.append(personal_table(con, manifest))
        views = served_views(con, manifest, tables)
        return _Sync(store, con, release, tables, views, read_dictionary(con), tell).run(began, full=full)


class _Sync:
    def __init__(
        self, store: Postgres, con: duckdb.DuckDBPyConnection, release: Release, tables: list[Table],
        views: list[View], dictionary: Dictionary, tell: Tell,
    ) -> None:  # fmt: skip
        self.store, self.con, self.release, self.tables, self.views = store, con, release, tables, views
        self.dictionary, self.tell = dictionary, tell
        self.done = Synced(release.release, release.load_date.isoformat(), len(tables))

    def run(self, began: float, *, full: bool) -> Synced:
        access.make_schemas(self.store)
        if not state.exists(self.store):
            self.store.run(*state.STATEMENTS)
        self.store.run(f"drop schema if exists {BESIDE} cascade", f"create schema {BESIDE}")
        self.store.commit()
        before = state.read(self.store)
        anew = [table for table in self.tables if before.shapes.get(table.name) != table.shape]
        kept = [table for table in self.tables if before.shapes.get(table.name) == table.shape]
        gone = sorted(set(before.shapes) - {table.name for table in self.tables})
        replaced = {*gone, *(table.name for table in anew if table.name in before.shapes)}
        dropped = self._views_to_drop(before, replaced)
        self._refuse_to_break([*sorted(replaced), *dropped])
        sums = {table.name: self._fill_beside(table) for table in anew}
        # from here on one transaction
        unchanged = before.release == self.release.release and not full
        for table in kept:
            held = before.parts[table.name]
            # an erasure changes personal data within a release
            same = unchanged and table.name != PERSONAL
            sums[table.name] = held if same else self._replace_parts(table, {} if full else held)
        made = self._show(anew, gone, dropped, before)
        self._access(before, {table.name for table in anew}, made)
        for table in self.tables:
            if table in anew or sums[table.name] != before.parts[table.name]:
                state.note_table(self.store, table.name, table.shape, sums[table.name])
        self.done.seconds = round(time.perf_counter() - began, 2)
        if before.release != self.release.release or self.done.changed or anew:
            state.note_release(
                self.store, self.release.release, self.done.load_date, self.release.published_at,
                sent=self.done.rows_sent, deleted=self.done.rows_deleted, seconds=self.done.seconds,
            )  # fmt: skip
            self.store.run(f"notify clientele, {literal(self.release.release)}")
        self.store.run(f"drop schema {BESIDE} cascade")
        self.store.commit()
        return self.done

    def _fill_beside(self, table: Table) -> state.Parts:
        """A table of a new shape, filled, indexed and committed where nobody looks yet."""
        self.tell(f"{table.name}: made anew")
        self.store.run(*ddl.create(table, BESIDE))
        sums = part_sums(self.con, table)
        rows = sum(count for count, _ in sums.values())
        self._send(table, ddl_schema=BESIDE, where="true")
        self._count(table, BESIDE, "true", rows)
        self.store.run(*ddl.finish(table, BESIDE, rows))
        self.store.commit()
        self.done.made_anew.append(table.name)
        self.done.rows_sent += rows
        return sums

    def _replace_parts(self, table: Table, held: state.Parts) -> state.Parts:
        """Delete and send again the parts whose sums differ."""
        sums = part_sums(self.con, table)
        differing = {part for part in sums.keys() | held.keys() if sums.get(part) != held.get(part)}
        if not held:  # everything goes: whatever is there, also what no sum tells of
            differing |= {part for (part,) in self.store.ask(f"select distinct {table.part_of_row} from {table.name}")}
        if not differing:
            return sums
        where = table.within(differing)
        place = ddl.quoted(table.name)
        ((deleted,),) = self.store.ask(
            f"with gone as (delete from {place} where {where} returning 1) select count(*) from gone"
        )
        rows = sum(sums[part][0] for part in differing if part in sums)
        self._send(table, ddl_schema="", where=where)
        self._count(table, "", where, rows)
        if rows + deleted > CHANGED * max(1, sum(count for count, _ in sums.values())):
            self.store.run(f"analyze {place}")
        self.tell(f"{table.name}: {rows:,} rows of {len(differing):,} parts")
        self.done.changed.append(table.name)
        self.done.rows_sent += rows
        self.done.rows_deleted += deleted
        return sums

    def _send(self, table: Table, *, ddl_schema: str, where: str) -> None:
        listed = ", ".join(column.sent for column in table.columns)
        rows = self.con.sql(f"select {listed} from {table.name} where {where}").to_arrow_reader(ROWS)
        target = f"{ddl_schema}.{table.name.partition('.')[2]}" if ddl_schema else table.name
        self.store.append(target, rows)

    def _count(self, table: Table, schema: str, where: str, expected: int) -> None:
        ((found,),) = self.store.ask(f"select count(*) from {ddl.in_schema(table.name, schema)} where {where}")
        if found != expected:
            raise StoreError(
                f"{table.name} has {found:,} rows in the store, {expected:,} were sent",
                remedy="the store keeps its former state; is another program writing to it?",
            )

    def _views_to_drop(self, before: State, replaced: set[str]) -> list[str]:
        """The cube's views that can't stay: no longer there, of other SQL, or over what is replaced or dropped itself.

        Last made first, so that none is dropped under another.
        """
        now = {view.name: view.sql for view in self.views}
        dropped: list[str] = []
        for name, text, reads in before.views:
            if now.get(name) != text or {*replaced, *dropped} & set(reads):
                dropped.append(name)
        return dropped[::-1]

    def _refuse_to_break(self, lost: list[str]) -> None:
        """What is made anew, dropped or taken away: somebody's own views on it would be lost with it."""
        for name in lost:
            found = self.store.ask(
                "select distinct n.nspname || '.' || c.relname from pg_depend d join pg_rewrite r on d.objid = r.oid"
                " join pg_class c on r.ev_class = c.oid join pg_namespace n on c.relnamespace = n.oid"
                f" where d.refobjid = to_regclass({literal(name)}) and d.classid = 'pg_rewrite'::regclass"
            )
            others = sorted(view for (view,) in found if not view.startswith("cube."))
            if others:
                raise StoreError(
                    f"{', '.join(others)} reads {name}, which is made anew or no longer sent",
                    remedy=f"drop {', '.join(others)}, run `clientele serve sync`, and create it again",
                )

    def _show(self, anew: list[Table], gone: list[str], dropped: list[str], before: State) -> list[str]:
        """Put what was filled beside in its place, with the views over it; returns the views that were made."""
        self.store.run(*(f"drop view {ddl.quoted(name)}" for name in dropped))
        for name in gone:
            self.store.run(f"drop table {ddl.quoted(name)}")
            state.forget_table(self.store, name)
        for table in anew:
            schema = table.name.partition(".")[0]
            self.store.run(
                f"drop table if exists {ddl.quoted(table.name)}",
                f"alter table {ddl.in_schema(table.name, BESIDE)} set schema {quote(schema)}",
            )
        stayed = {name for name, _, _ in before.views} - set(dropped)
        made = [view for view in self.views if view.name not in stayed]
        for view in made:
            self.store.run(*ddl.create_view(view))
        if made or dropped:
            state.note(self.store, "views", [(view.name, view.sql, sorted(view.reads)) for view in self.views])
        return [view.name for view in made]

    def _access(self, before: State, anew: set[str], made: list[str]) -> None:
        """Grants and policies of tables that are new or whose rules changed, so that no other is locked for it."""
        roles = access.roles(self.store)
        rules = {table.name: [access.access(table, role, self.dictionary) for role in roles] for table in self.tables}
        told = {name: access.told(of_table) for name, of_table in rules.items()}
        for table in self.tables:
            if table.name in anew or told[table.name] != before.access.get(table.name):
                self.store.run(*access.statements(table, rules[table.name]))
        if told == before.access and not made:
            return
        # a role that is new reads the views that stayed, too
        views = made if told == before.access else [view.name for view in self.views]
        self.store.run(*ddl.grant([*views, "ops.served"], roles))
        state.note(self.store, "access", told)
