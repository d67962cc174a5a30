"""PostgreSQL's statements for tables and views: types, keys, indexes, and words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagster_project.landing.sql import names, quote
from dagster_project.serving.postgres import literal
from dagster_project.serving.tables import INDEXED, Table, View

SMALL = 1000  # rows from which on an index helps


def create(table: Table, schema: str) -> Iterator[str]:
    """An empty table in a schema, without indexes: they are faster made when it is full."""
    place = in_schema(table.name, schema)
    columns = ", ".join(f"{quote(column.name)} {column.type}" for column in table.columns)
    yield f"create table {place} ({columns})"
    if table.description:
        yield f"comment on table {place} is {literal(table.description)}"
    for column in table.columns:
        if column.description:
            yield f"comment on column {place}.{quote(column.name)} is {literal(column.description)}"


def finish(table: Table, schema: str, rows: int) -> Iterator[str]:
    """Key, indexes and statistics of a full table."""
    place = in_schema(table.name, schema)
    if table.key:
        yield f"alter table {place} add primary key ({names(table.key)})"
    if rows >= SMALL:
        for column in table.columns:
            if column.name in {*INDEXED, table.part} and (column.name,) != table.key:
                yield f"create index on {place} ({quote(column.name)})"
    yield f"analyze {place}"


def create_view(view: View) -> Iterator[str]:
    """A view that reads with the rights of who asks, so that policies on its tables hold."""
    place = quoted(view.name)
    yield f"create view {place} with (security_invoker = true) as {view.sql}"
    if view.description:
        yield f"comment on view {place} is {literal(view.description)}"
    for column, told in view.columns.items():
        yield f"comment on column {place}.{quote(column)} is {literal(told)}"


def grant(relations: Iterable[str], roles: Iterable[str]) -> Iterator[str]:
    listed = ", ".join(quote(role) for role in roles)
    for relation in relations:
        if listed:
            yield f"grant select on {quoted(relation)} to {listed}"


def in_schema(name: str, schema: str) -> str:
    return f"{quote(schema)}.{quote(name.partition('.')[2])}" if schema else quoted(name)


def quoted(name: str) -> str:
    return ".".join(map(quote, name.split(".")))
