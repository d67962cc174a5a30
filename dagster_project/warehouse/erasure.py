"""Erasing a person: the values go from every file, the row stays as a pseudonym, and the person stays erased.

What is to go is told by tombstones only, HMAC values of those who were erased, written before the first file is
touched. So an erasure that was killed is finished by running it again, which the next load does, and a person whom the
source delivers again lands without values. Files are rewritten beside and renamed: each is whole at any time.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import ClienteleError
from dagster_project.landing import sql
from dagster_project.landing.manifest import (
    Landing,
    Manifest,
    append_json_line,
    sync_folder,
    write_durably,
)
from dagster_project.landing.pii import ERASED, Pii, erased_persons, open_pii, person_value
from dagster_project.landing.quarantine import REJECTS, ROWS
from dagster_project.landing.source import Feed, read_sources
from dagster_project.settings import Settings
from dagster_project.warehouse.ledger import Ledger, now
from dagster_project.warehouse.personal import STORAGE
from dagster_project.warehouse.releases import PII_FILE

PENDING = "erasing.json"
TEXT_ERASED = "(erased)"
# Shorter values, such as initials, stand in every other line by chance.
SHORTEST_VALUE = 3


@dataclass(frozen=True)
class Person:
    """Whom to erase: the tombstones of one customer of one source system, in each feed that knows the person."""

    source_system: str
    customer: str
    tombstones: tuple[str, ...]


@dataclass(frozen=True)
class Erasure:
    """What an erasure did, or would do. `customer` is the keyed hash of the person's key."""

    customer: str
    source_system: str
    requested_at: str
    requested_by: str
    files: tuple[str, ...]


class PersonalFiles:
    """The files of one home that hold personal data, and the connection that reads them."""

    def __init__(self, settings: Settings, con: duckdb.DuckDBPyConnection) -> None:
        self.settings, self.con = settings, con
        self.landing = Landing(settings.landing)
        self.batches = [manifest for manifest in self.landing if manifest.pii]
        names = sorted({manifest.source for manifest in self.batches})
        sources = read_sources(settings.sources_dir, names)
        self.feeds = {feed.id: feed for source in sources.values() for feed in source.feeds.values() if feed.pii}
        if not self.feeds:
            raise ClienteleError(
                "no personal data has landed, so there is nobody to erase", remedy="see `clientele source list`"
            )
        pii = open_pii(settings.home, settings.landing, settings.pii_key.get_secret_value(), self.feeds.values())
        assert pii is not None  # noqa: S101 - a feed has personal data
        self.pii: Pii = pii
        pii.register(con)

    def feed(self, manifest: Manifest) -> Feed:
        if manifest.feed_id not in self.feeds:
            raise ClienteleError(
                f"{manifest.feed_id} landed personal data, but its source.yml names none any more",
                remedy="name its personal columns under `pii` again, so that they can be found",
            )
        return self.feeds[manifest.feed_id]

    def releases(self) -> list[Path]:
        """The files of releases, newest first, and of as-of loads."""
        homes = (self.settings.releases, self.settings.home / "as_of")
        return [path for home in homes for path in sorted(home.glob(f"*/{PII_FILE}"), reverse=True)]

    def aside(self, manifest: Manifest, name: str) -> Path:
        return self.settings.quarantine / manifest.source / manifest.feed / f"load={manifest.load_id}" / name

    def part(self, manifest: Manifest) -> Path | None:
        """The file of the batch's rows, if it is there; a compacted one holds other batches too."""
        paths = self.landing.parts([manifest])
        return paths[0] if paths and paths[0].exists() else None

    def landed(self) -> Iterator[tuple[Manifest, Path, Path]]:
        """(a batch, its rows, their personal data): each file once."""
        found = {}
        for manifest in self.batches:
            for pii in self.landing.pii_parts([manifest]):
                if (part := self.part(manifest)) and pii.exists():
                    found[pii] = (manifest, part, pii)
        yield from found.values()


def find(files: PersonalFiles, customer: str, system: str | None) -> Person:
    """The customer by id or durable key, as any kept release knows it; else by the columns that say whose a row is.

    Raises:
        ClienteleError: nobody has that id, or customers of several systems have.
    """
    landed: dict[tuple[str, str], set[tuple[str, str, int]]] = {}
    for path in files.releases():
        with duckdb.connect(str(path), read_only=True, config=sql.CONFIG) as con:
            rows = con.execute(
                "select source_system, customer_id, source_feed, load_id, load_row from customer_row"
                " where (customer_id = $1 or cast(customer_durable_key as varchar) = $1)"
                " and ($2 is null or source_system = $2)",
                [customer, system],
            ).fetchall()
        for source_system, customer_id, *row in rows:
            landed.setdefault((source_system, customer_id), set()).add(tuple(row))
    found = {who: {files.pii.person_key(*who)} for who in landed}
    for who, theirs in landed.items():
        for manifest, ordinals in _by_batch(files, theirs):
            found[who] |= _tombstones(files, manifest, f"_row in ({', '.join(map(str, sorted(ordinals)))})")
    if not found:
        for manifest in files.batches:
            feed = files.feed(manifest)
            if system in (None, feed.system) and len(feed.person) == 1:
                is_it = f"cast({sql.quote(feed.person[0])} as varchar) = {sql.literal(customer)}"
                if tombstones := _tombstones(files, manifest, is_it):
                    found.setdefault((feed.system, customer), set()).update(tombstones)
    if not found:
        told = f" in {system}" if system else ""
        raise ClienteleError(
            f"no customer {customer!r} with personal data{told} is known",
            remedy="give customer_id or customer_durable_key as in star.dim_customer",
        )
    if len(found) > 1:
        raise ClienteleError(
            f"customer {customer!r} is known in several source systems: {', '.join(sorted(s for s, _ in found))}",
            remedy="choose one with --source-system",
        )
    ((source_system, customer_id), tombstones) = next(iter(found.items()))
    return Person(source_system, files.pii.person_key(source_system, customer_id), tuple(sorted(tombstones)))


def _by_batch(files: PersonalFiles, rows: Iterable[tuple[str, str, int]]) -> Iterator[tuple[Manifest, set[int]]]:
    by_batch: dict[tuple[str, str], set[int]] = {}
    for feed, load, row in rows:
        by_batch.setdefault((feed, load), set()).add(row)
    for manifest in files.batches:
        if ordinals := by_batch.get((manifest.feed_id, manifest.load_id)):
            yield manifest, ordinals


def _tombstones(files: PersonalFiles, manifest: Manifest, condition: str) -> set[str]:
    """Tombstones of the rows of a batch, landed or set aside, that meet a condition."""
    found: set[str] = set()
    condition = f"_load_id = {sql.literal(manifest.load_id)} and {condition}"
    for path in (files.part(manifest), files.aside(manifest, ROWS)):
        if path and path.exists():
            found |= {
                row[0]
                for row in files.con.execute(
                    f"select distinct {person_value(files.feed(manifest))} from {sql.parquet([path])} where {condition}"
                ).fetchall()
            }
    return found


def erase(settings: Settings, customer: str, system: str | None, *, dry_run: bool = False) -> Erasure:
    """Erase a customer from every file of the home. Called under the writer's lock, after recovery.

    Raises:
        ClienteleError: the customer is not known, or not one.
    """
    with duckdb.connect(config=sql.CONFIG) as con:
        files = PersonalFiles(settings, con)
        person = find(files, customer, system)
        request = Erasure(person.customer, person.source_system, now(), getpass.getuser(), ())
        if dry_run:
            return replace(request, files=_told(settings, _sweep(files, set(person.tombstones), dry_run=True)))
        pending = asdict(request) | {"tombstones": person.tombstones}
        write_durably(settings.landing / PENDING, json.dumps(pending))
        return _finish(files, pending)


def finish_pending(settings: Settings) -> list[str]:
    """Finish the erasure that a killed process left; returns what to tell of it."""
    path = settings.landing / PENDING
    if not path.exists():
        return []
    with duckdb.connect(config=sql.CONFIG) as con:
        done = _finish(PersonalFiles(settings, con), json.loads(path.read_text(encoding="utf-8")))
    return [f"finished the erasure of {done.requested_at}: {len(done.files)} files rewritten"]


def _finish(files: PersonalFiles, pending: dict[str, Any]) -> Erasure:
    tombstones = set(pending.pop("tombstones"))
    for tombstone in sorted(tombstones - erased_persons(files.settings.landing)):
        append_json_line(files.settings.landing / ERASED, {"person": tombstone, "at": pending["requested_at"]})
    rewritten = _told(files.settings, _sweep(files, tombstones, dry_run=False))
    done = Erasure(**pending | {"files": rewritten})
    ledger = Ledger(files.settings.ledger)
    ledger.write(
        "erasure",
        max(ledger.loads()),
        customer=done.customer,
        requested_at=done.requested_at,
        requested_by=done.requested_by,
        finished_at=now(),
        files_rewritten=len(rewritten),
    )
    (files.settings.landing / PENDING).unlink()
    sync_folder(files.settings.landing)
    return done


def _told(settings: Settings, paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(str(path.relative_to(settings.home)) for path in paths)


def _sweep(files: PersonalFiles, tombstones: set[str], *, dry_run: bool) -> list[Path]:
    """Take the values of these persons out of every file; returns the files that held any.

    Rejected lines first: they are found by the values, which the landed files tell last.
    """
    con = files.con
    con.execute("create or replace temp table gone (person varchar)")
    con.execute("insert into gone select unnest($1)", [sorted(tombstones)])
    rewritten: list[Path] = []

    def rewrite(path: Path, query: str, held: str) -> None:
        if sql.scalar(con, held):
            rewritten.append(path)
            if not dry_run:
                _replace(
                    path,
                    lambda beside: con.execute(
                        f"copy ({query}) to {sql.literal(beside)} (format parquet, compression zstd)"
                    ),
                )

    rejected = [(m, path) for m in files.batches if (path := files.aside(m, REJECTS)).exists()]
    values = _values(files) if rejected else []
    for _, path in rejected:
        rows = sql.parquet([path])
        hit = " or ".join(f"contains(raw || ' ' || reason, {sql.literal(value)})" for value in values) or "false"
        kept = (
            f"select * replace (case when {hit} then '{TEXT_ERASED}' else raw end as raw,"
            f" case when {hit} then '{TEXT_ERASED}' else reason end as reason) from {rows}"
        )
        if not dry_run:  # a line that can't be parsed names no person: it is known by its own hash when it comes again
            for (line,) in con.execute(f"select distinct hmac_sha256(raw) from {rows} where {hit}").fetchall():
                append_json_line(files.settings.landing / ERASED, {"person": line, "at": now()})
        rewrite(path, kept, f"select count(*) from {rows} where {hit}")
    for manifest in files.batches:
        feed, path = files.feed(manifest), files.aside(manifest, ROWS)
        if path.exists():
            rows, is_gone = sql.parquet([path]), _is_gone(files, manifest)
            personal = [*manifest.pii, *(key for key in feed.match_keys if key in manifest.columns)]
            nulls = ", ".join(f"case when not ({is_gone}) then {sql.quote(n)} end as {sql.quote(n)}" for n in personal)
            given = " or ".join(f"{sql.quote(name)} is not null" for name in personal)
            rewrite(
                path,
                f"select * replace ({nulls}) from {rows}",
                f"select count(*) from {rows} where {is_gone} and ({given})",
            )
    for path in files.releases():
        if _rewrite_release(files, path, dry_run=dry_run):
            rewritten.append(path)
    for manifest, part, pii in files.landed():
        theirs = (
            f"(_load_id, _row) in (select (_load_id, _row) from {sql.parquet([part])}"
            f" where {_is_gone(files, manifest)})"
        )
        rows = sql.parquet([pii])
        rewrite(pii, f"select * from {rows} where not ({theirs})", f"select count(*) from {rows} where {theirs}")
    return rewritten


def _values(files: PersonalFiles) -> list[str]:
    """All that the landed and the quarantined rows of those who go say of them, as text."""
    relations: list[tuple[Manifest, str]] = []
    for manifest in files.batches:
        if (aside := files.aside(manifest, ROWS)).exists():
            relations.append((manifest, f"{sql.parquet([aside])} where {_is_gone(files, manifest)}"))
    for manifest, part, pii in files.landed():
        theirs = f"select (_load_id, _row) from {sql.parquet([part])} where {_is_gone(files, manifest)}"
        relations.append((manifest, f"{sql.parquet([pii])} where (_load_id, _row) in ({theirs})"))
    found: set[str] = set()
    for manifest, relation in relations:
        texts = ", ".join(f"cast({sql.quote(name)} as varchar)" for name in manifest.pii)
        rows = files.con.execute(f"select distinct unnest([{texts}]) from {relation}").fetchall()
        found |= {value for (value,) in rows if value and len(value.strip()) >= SHORTEST_VALUE}
    return sorted(found)


def _is_gone(files: PersonalFiles, manifest: Manifest) -> str:
    return f"{person_value(files.feed(manifest))} in (select person from gone)"


def _rewrite_release(files: PersonalFiles, path: Path, *, dry_run: bool) -> bool:
    """A release's pii.duckdb anew, without the values: no page of the old file stays. False if it holds none."""
    with duckdb.connect(config=sql.CONFIG) as con:
        files.pii.register(con)
        con.execute("create temp table gone as select unnest($1) as person", [_gone(files)])
        con.execute(f"attach {sql.literal(path)} as old (read_only)")
        person = "hmac_sha256(source_system || chr(31) || customer_id) in (select person from gone)"
        personal = "name", "email", "phone", "address", "birth_date"
        given = " or ".join(f"{name} is not null" for name in personal)
        if not sql.scalar(con, f"select count(*) from old.main.customer where ({person}) and ({given})"):
            return False
        if dry_run:
            return True

        def write(beside: Path) -> None:
            option = f"(storage_version {sql.literal(STORAGE['storage_compatibility_version'])})"
            con.execute(f"attach {sql.literal(beside)} as new {option}")
            nulls = ", ".join(f"case when not ({person}) then {name} end as {name}" for name in personal)
            tables = con.execute("select table_name, sql from duckdb_tables() where database_name = 'old'").fetchall()
            for table, made_by in tables:
                con.execute("use new")
                con.execute(made_by.replace("old.", "").replace("main.", ""))
                con.execute("use memory")
                chosen = f"* replace ({nulls})" if table == "customer" else "*"
                con.execute(f"insert into new.main.{sql.quote(table)} select {chosen} from old.main.{sql.quote(table)}")
            con.execute("checkpoint new")
            con.execute("detach new")

        _replace(path, write)
    return True


def _gone(files: PersonalFiles) -> list[str]:
    return [row[0] for row in files.con.execute("select person from gone").fetchall()]


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a private file beside, flush it to the disk, and put it in the place of the other."""
    beside = path.with_name(f".{path.name}.erasing")
    beside.unlink(missing_ok=True)
    write(beside)
    beside.chmod(0o600)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def lift(settings: Settings, customer: str, system: str | None) -> Erasure:
    """Let a person land again. What was erased stays so: values come back with the next change of the person's row."""
    with duckdb.connect(config=sql.CONFIG) as con:
        files = PersonalFiles(settings, con)
        person = find(files, customer, system)
        at = now()
        for tombstone in person.tombstones:
            append_json_line(settings.landing / ERASED, {"person": tombstone, "at": at, "lifted": True})
        return Erasure(person.customer, person.source_system, at, getpass.getuser(), ())
