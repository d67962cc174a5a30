"""What the store says of itself: its release, its tables' shapes, and the sums of the parts it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from dagster_project.serving.postgres import Postgres, literal

SCHEMA = "clientele"  # the sync's own; roles have no right to it
BESIDE = "clientele_next"  # where tables are filled before they are shown
STATEMENTS = (
    f"create schema if not exists {SCHEMA}",
    f"create table if not exists {SCHEMA}.served_table (name text primary key, shape text not null,"
    " parts jsonb not null)",
    f"create table if not exists {SCHEMA}.served_release (release text not null, load_date date not null,"
    " published_at timestamptz not null, synced_at timestamptz not null, rows_sent bigint not null,"
    " rows_deleted bigint not null, seconds double precision not null)",
    f"create table if not exists {SCHEMA}.note (name text primary key, told jsonb not null)",
    # who reads may know how fresh what is read is
    f"create or replace view ops.served as select release, load_date, published_at, synced_at, rows_sent,"
    f" rows_deleted, seconds from {SCHEMA}.served_release order by synced_at desc limit 1",
    "comment on view ops.served is 'The release this store holds, and when it got it.'",
)

Parts = dict[int, tuple[int, str]]


@dataclass
class State:
    """What is in the store.

    Attributes:
        release: its id; empty before the first sync.
        shapes: table -> shape. parts: table -> part -> rows and sum of hashes.
        access: table -> the rules that were applied.
        views: name, SQL, and what is read, in the order they are made.
    """

    release: str = ""
    load_date: str = ""
    synced_at: str = ""
    shapes: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Parts] = field(default_factory=dict)
    access: dict[str, list[str]] = field(default_factory=dict)
    views: list[tuple[str, str, list[str]]] = field(default_factory=list)


def exists(store: Postgres) -> bool:
    return store.ask(f"select to_regclass('{SCHEMA}.served_table') is not null") == [(True,)]


def read(store: Postgres) -> State:
    """The state; an empty one before the first sync."""
    if not exists(store):
        return State()
    served = store.ask(
        f"select release, load_date::text, to_char(synced_at, 'YYYY-MM-DD HH24:MI:SS') from {SCHEMA}.served_release"
        " order by synced_at desc limit 1"
    )
    tables = store.ask(f"select name, shape, parts::text from {SCHEMA}.served_table")
    notes = {name: json.loads(told) for name, told in store.ask(f"select name, told::text from {SCHEMA}.note")}
    release, load_date, synced_at = served[0] if served else ("", "", "")
    return State(
        release=release,
        load_date=load_date,
        synced_at=synced_at,
        shapes={name: shape for name, shape, _ in tables},
        parts={
            name: {int(part): (rows, checksum) for part, (rows, checksum) in json.loads(parts).items()}
            for name, _, parts in tables
        },
        access=notes.get("access", {}),
        views=[(name, sql, reads) for name, sql, reads in notes.get("views", [])],
    )


def note_table(store: Postgres, name: str, shape: str, parts: Parts) -> None:
    told = json.dumps({str(part): list(sums) for part, sums in sorted(parts.items())})
    store.run(
        f"insert into {SCHEMA}.served_table (name, shape, parts) values ({literal(name)}, {literal(shape)},"
        f" {literal(told)}::jsonb) on conflict (name) do update set shape = excluded.shape, parts = excluded.parts"
    )


def forget_table(store: Postgres, name: str) -> None:
    store.run(f"delete from {SCHEMA}.served_table where name = {literal(name)}")


def note(store: Postgres, name: str, told: object) -> None:
    store.run(
        f"insert into {SCHEMA}.note (name, told) values ({literal(name)}, {literal(json.dumps(told))}::jsonb)"
        " on conflict (name) do update set told = excluded.told"
    )


def note_release(
    store: Postgres, release: str, load_date: str, published_at: str, *, sent: int, deleted: int, seconds: float
) -> None:
    store.run(
        f"insert into {SCHEMA}.served_release values ({literal(release)}, {literal(load_date)},"
        f" {literal(published_at)}, clock_timestamp(), {sent}, {deleted}, {seconds})"
    )
