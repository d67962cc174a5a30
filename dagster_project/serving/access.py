"""Who reads what in the store: roles, and the rows each policy of the metric dictionary leaves them.

A policy's condition speaks of levels. A table that has the key of their dimension is held to it row by row
(row-level security); one that tells of no such dimension, as products or the calendar, is read whole; one that mixes
all rows, as a grain of the cube, is not read by the role at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from dagster_project.errors import ConfigurationError
from dagster_project.landing.sql import quote
from dagster_project.olap.conditions import Condition
from dagster_project.olap.dictionary import Dictionary
from dagster_project.olap.policies import restriction
from dagster_project.serving.ddl import quoted
from dagster_project.serving.postgres import Postgres, literal
from dagster_project.serving.tables import PERSONAL, SCHEMAS, Table
from dagster_project.settings import Settings

STEWARD = "steward"
ROLES = ("analyst", STEWARD)
# Of everybody: what describes things and days, what the load did, what there is to ask.
DESCRIBES = ("star.dim_", "star.bridge_", "mart.dim_", "ops.", "cube.catalog")
IDENTIFIER = re.compile(r"^[a-z_]\w*$")
LIMITS = {
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "10min",
    "default_transaction_read_only": "on",
    # a transaction sees one release, whatever is published meanwhile
    "default_transaction_isolation": "repeatable read",
}


@dataclass(frozen=True)
class Access:
    """What a role reads of a table: rows where the condition holds, all (empty), or nothing (None)."""

    role: str
    condition: str | None


def init(store: Postgres, settings: Settings) -> list[str]:
    """Make schemas and roles, or bring them up to date; run as the owner of the database.

    Returns the roles.

    Raises:
        ConfigurationError: a role's password is not set.
    """
    passwords = {
        "analyst": settings.pg_analyst_password.get_secret_value(),
        "steward": settings.pg_steward_password.get_secret_value(),
    }
    if missing := [role for role, password in passwords.items() if not password]:
        raise ConfigurationError(
            f"no password for {' and '.join(missing)}",
            remedy="set " + " and ".join(f"CLIENTELE_PG_{role.upper()}_PASSWORD" for role in missing),
        )
    known = roles(store)
    for role in ROLES:
        store.run(
            f"{'alter' if role in known else 'create'} role {quote(role)} login password {literal(passwords[role])}"
        )
        store.run(*(f"alter role {quote(role)} set {name} = {literal(value)}" for name, value in LIMITS.items()))
    ((database,),) = store.ask("select current_database()")
    listed = ", ".join(map(quote, ROLES))
    store.run(
        "revoke create on schema public from public",
        f"revoke temporary on database {quote(database)} from public",
        f"grant connect on database {quote(database)} to {listed}",
    )
    make_schemas(store)
    store.run(f"grant usage on schema {', '.join(SCHEMAS)} to {listed}", "grant usage on schema pii to steward")
    store.commit()
    return list(ROLES)


def make_schemas(store: Postgres) -> None:
    store.run(*(f"create schema if not exists {schema}" for schema in (*SCHEMAS, "pii")))


def roles(store: Postgres) -> list[str]:
    """Those of the project that exist."""
    return [name for (name,) in store.ask(f"select rolname from pg_roles where rolname in {ROLES} order by 1")]


def access(table: Table, role: str, dictionary: Dictionary) -> Access:
    """What a role's policy leaves of a table.

    Raises:
        ConfigurationError: the policy has a condition over two dimensions at once, which no table can be held to.
    """
    if table.name == PERSONAL:
        return Access(role, "" if role == STEWARD else None)
    held = restriction(role, dictionary) if role in dictionary.policies else None
    conditions = []
    for condition in held.conditions if held else ():
        if len(dimensions := {level.dimension for level in condition.levels}) != 1:
            raise ConfigurationError(
                f"policy {role} has a condition over {', '.join(sorted(dimensions))} at once: {condition.sql}",
                remedy="write conditions that speak of one dimension each, joined by `and`",
            )
        (name,) = dimensions
        dimension = dictionary.dimensions[name]
        said = _of_members(condition)
        if table.name == dimension.table:
            conditions.append(said)
            continue
        columns = {column.name for column in table.columns}
        keys = {dimension.key, *(source.entities.get(name, "") for source in dictionary.sources.values())}
        own = next((key for key in sorted(keys) if IDENTIFIER.match(key) and key in columns), None)
        if own:
            key = sqlglot.transpile(dimension.key, read="duckdb", write="postgres")[0]
            conditions.append(f"{quote(own)} in (select {key} from {dimension.table} where {said})")
        elif not table.name.startswith(DESCRIBES):
            return Access(role, None)
    return Access(role, " and ".join(conditions))


def _of_members(condition: Condition) -> str:
    """The condition over the dimension's own columns, in PostgreSQL's words."""
    columns = {level.column: level.expr for level in condition.levels}

    def named(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and node.name in columns:
            return exp.paren(sqlglot.parse_one(columns[node.name], read="duckdb"))
        return node

    return sqlglot.parse_one(condition.sql, read="duckdb").transform(named).sql(dialect="postgres")


def statements(table: Table, rules: Iterable[Access]) -> Iterator[str]:
    """Grants and policies of one table, whatever they were before."""
    place = quoted(table.name)
    held = list(rules)
    listed = ", ".join(quote(rule.role) for rule in held)
    if not listed:
        return
    yield f"revoke all on {place} from {listed}"
    for rule in held:
        yield f"drop policy if exists {quote(rule.role)} on {place}"
    secured = any(rule.condition for rule in held)
    yield f"alter table {place} {'enable' if secured else 'disable'} row level security"
    for rule in held:
        if rule.condition is None:
            continue
        yield f"grant select on {place} to {quote(rule.role)}"
        if secured:
            using = rule.condition or "true"
            yield f"create policy {quote(rule.role)} on {place} for select to {quote(rule.role)} using ({using})"


def told(rules: Iterable[Access]) -> list[str]:
    """Rules as texts that change when one does."""
    return [f"{rule.role}: {'nothing' if rule.condition is None else rule.condition or 'all'}" for rule in rules]
