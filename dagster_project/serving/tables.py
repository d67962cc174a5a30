"""Which tables a release gives to the store, and what is known of them: columns, words for people, keys, parts.

A table is sent in parts, by month or by the remainder of its key, so that a night sends what it changed. A part is
named by a number that both engines compute alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from dagster_project.errors import ConfigurationError
from dagster_project.landing.sql import literal, names, quote

SCHEMAS = ("star", "mart", "cube", "ops")
# Sent only if CLIENTELE_PG_FACTS names them: they are as large as what is sold, or are steps on the way to a mart.
FACT_SIZED = (
    "star.fct_",
    "star.mastered_customer_source",
    "mart.fct_",
    "mart.mart_next_best_product",
    "mart.customer_",
    "mart.basket_",
    "cube.sales_base",
    "cube.sales_orders",
    "cube.sales_customer_months",
)
PERSONAL = "pii.customer"
UNDESCRIBED: dict[str, Any] = {"description": "", "columns": {}}
MONTHS = ("month_start_date", "period_start_date", "order_date")
PARTS = 64
# Columns that joins and filters go by
INDEXED = (*MONTHS, "customer_key", "mastered_customer_key", "product_key", "store_key", "campaign_key", "rfm_segment")
TYPES = {
    "VARCHAR": "text",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "USMALLINT": "integer",
    "UINTEGER": "bigint",
    "UBIGINT": "numeric(20)",
    "HUGEINT": "numeric(38)",
    "BLOB": "bytea",
}
SAME = ("BIGINT", "INTEGER", "SMALLINT", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    description: str

    @property
    def type(self) -> str:
        """PostgreSQL's."""
        if self.kind.startswith("DECIMAL"):
            return self.kind.replace("DECIMAL", "numeric")
        return TYPES.get(self.kind, self.kind.lower() if self.kind in SAME else "text")

    @property
    def sent(self) -> str:
        """SQL of what is sent; what PostgreSQL has no type for goes as text."""
        name = quote(self.name)
        if self.kind in SAME or self.kind in TYPES or self.kind.startswith("DECIMAL"):
            return f"cast({name} as decimal(38, 0)) as {name}" if self.kind in {"UBIGINT", "HUGEINT"} else name
        return f"cast({name} as varchar) as {name}"


@dataclass(frozen=True)
class Table:
    """A table of the store.

    Attributes:
        name: schema and table, the same on both sides.
        key: columns that tell its rows apart, seen to do so; empty where none are known.
        part: column that tells the part: a date (its month), a key (its remainder); empty for one part.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    part: str

    @property
    def shape(self) -> str:
        """Changes when the table must be made anew."""
        told = [self.name, self.description, self.key, self.part, [vars(column) for column in self.columns]]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    @property
    def is_by_month(self) -> bool:
        return any(column.name == self.part and column.kind == "DATE" for column in self.columns)

    @property
    def part_of_row(self) -> str:
        """SQL of a row's part, in both engines."""
        if not self.part:
            return "0"
        name = quote(self.part)
        if self.is_by_month:
            return f"cast(coalesce(extract(year from {name}) * 100 + extract(month from {name}), 0) as integer)"
        return f"cast(coalesce({name} % {PARTS}, 0) as integer)"

    def within(self, parts: Iterable[int]) -> str:
        """SQL that is true for rows of these parts; by month a range an index knows."""
        listed = sorted(parts)
        if self.is_by_month and 0 not in listed:
            name = quote(self.part)
            return " or ".join(
                f"({name} >= date '{p // 100:04}-{p % 100:02}-01' and {name} < date '{_next_month(p)}')" for p in listed
            )
        return f"{self.part_of_row} in ({', '.join(map(str, listed))})"


@dataclass(frozen=True)
class View:
    """A view of the store over tables of the store: a grain of the cube, or a fact with more columns."""

    name: str
    description: str
    sql: str
    columns: dict[str, str]
    reads: frozenset[str]


def served_tables(
    con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], facts: str, named_by: str = "CLIENTELE_PG_FACTS"
) -> list[Table]:
    """The tables to send, with what dbt's manifest says of them.

    Args:
        con: a connection whose default database is the warehouse.
        facts: names of facts to send besides, separated by commas; `all` for all of them.
        named_by: where they were named, for an error.

    Raises:
        ConfigurationError: `facts` names what is not there.
    """
    words, keys = _described(manifest), _keys(manifest)
    rows = con.execute(
        "select schema_name || '.' || table_name, list(column_name order by column_index),"
        " list(data_type order by column_index) from duckdb_columns()"
        f" where schema_name in ({', '.join(map(literal, SCHEMAS))}) and database_name = current_database()"
        " group by all order by 1"
    ).fetchall()
    seen_through = {name for name, *_ in _views(con) if name.startswith("cube.")}
    known = {name for name, *_ in rows} - seen_through
    wanted = _wanted(facts, known, named_by)
    tables = []
    for name, columns, kinds in rows:
        if name in seen_through or (name.startswith(FACT_SIZED) and name not in wanted):
            continue
        about = words.get(name, UNDESCRIBED)
        described = tuple(
            Column(column, kind, about["columns"].get(column, "")) for column, kind in zip(columns, kinds, strict=True)
        )
        key = next((key for key in keys.get(name, []) if _tells_apart(con, name, key)), ())
        tables.append(Table(name, about["description"], described, key, _part(described, key)))
    return tables


def served_views(con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], tables: Iterable[Table]) -> list[View]:
    """The cube's views whose tables are sent, each after those it reads."""
    import sqlglot
    from sqlglot import exp

    words = _described(manifest)
    there = {table.name for table in tables}
    views: list[View] = []
    waiting = [(name, text, comment) for name, text, comment in _views(con) if name.startswith("cube.")]
    while waiting:
        rest = []
        for name, text, comment in waiting:
            query = sqlglot.parse_one(text, read="duckdb").expression
            reads = frozenset(f"{table.db}.{table.name}" for table in query.find_all(exp.Table))
            if not reads <= there:
                rest.append((name, text, comment))
                continue
            about = words.get(name, UNDESCRIBED)
            # a grain is described where all grains are
            columns: dict[str, str] = about["columns"] or next(
                (words[read]["columns"] for read in sorted(reads) if read in words), {}
            )
            named = {column: columns[column] for column in query.named_selects if columns.get(column)}
            views.append(View(name, comment or about["description"], query.sql(dialect="postgres"), named, reads))
            there.add(name)
        if len(rest) == len(waiting):
            break
        waiting = rest
    return views


def personal_table(con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> Table:
    """pii.customer of the release's second file, attached as `pii`."""
    nodes = [node for node in manifest["nodes"].values() if node["name"] == "pii_customer"]
    about: Mapping[str, Any] = nodes[0] if nodes else UNDESCRIBED
    columns = tuple(
        Column(name, kind, " ".join(about["columns"].get(name, {}).get("description", "").split()))
        for name, kind in con.execute("select column_name, column_type from (describe pii.customer)").fetchall()
    )
    key = ("customer_durable_key",)
    return Table(PERSONAL, " ".join(about["description"].split()), columns, key, key[0])


def part_sums(con: duckdb.DuckDBPyConnection, table: Table) -> dict[int, tuple[int, str]]:
    """Of each part: its rows, and a sum of their hashes, whatever their order."""
    listed = names(column.name for column in table.columns)
    found = con.execute(
        f"select {table.part_of_row}, count(*), cast(sum(hash({listed})) as varchar) from {table.name} group by all"
    ).fetchall()
    return {part: (rows, checksum) for part, rows, checksum in found}


def _views(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    return con.execute(
        "select schema_name || '.' || view_name, sql, coalesce(comment, '') from duckdb_views()"
        f" where schema_name in ({', '.join(map(literal, SCHEMAS))}) and database_name = current_database() order by 1"
    ).fetchall()


def _wanted(facts: str, known: set[str], named_by: str) -> set[str]:
    listed = [name.strip() for name in facts.split(",") if name.strip()]
    fact_sized = {name for name in known if name.startswith(FACT_SIZED)}
    if listed == ["all"]:
        return fact_sized
    found = {name for name in fact_sized if name in listed or name.partition(".")[2] in listed}
    if missing := [name for name in listed if not {name, name.partition(".")[2]} & {*found, *_bare(found)}]:
        raise ConfigurationError(
            f"{named_by} names {', '.join(missing)}, which is no fact of the release",
            remedy=f"known are: all, {', '.join(sorted(_bare(fact_sized)))}",
        )
    return found


def _bare(tables: Iterable[str]) -> set[str]:
    return {name.partition(".")[2] for name in tables}


def _part(columns: tuple[Column, ...], key: tuple[str, ...]) -> str:
    """A month if the table has one, else the first column of its key, else its first surrogate key."""
    kinds = {column.name: column.kind for column in columns}
    if month := next((name for name in MONTHS if kinds.get(name) == "DATE"), ""):
        return month
    whole = [name for name in (*key[:1], *kinds) if kinds[name] == "BIGINT" and name.endswith("_key")]
    return whole[0] if whole else ""


def _tells_apart(con: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...]) -> bool:
    whole = " and ".join(f"{quote(column)} is not null" for column in key)
    rows, members = con.execute(
        f"select count(*), count(distinct ({names(key)})) filter (where {whole}) from {table}"
    ).fetchall()[0]
    return bool(rows == members)


def _described(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Table -> its description and those of its columns."""
    return {
        f"{node['schema']}.{node.get('alias') or node['name']}": {
            "description": " ".join((node.get("description") or "").split()),
            "columns": {
                name: " ".join((column.get("description") or "").split()) for name, column in node["columns"].items()
            },
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed", "snapshot"}
    }


def _keys(manifest: Mapping[str, Any]) -> dict[str, list[tuple[str, ...]]]:
    """Table -> the columns that a test says tell its rows apart."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") not in {"unique", "once_in_restated_months"} or not node.get("attached_node"):
            continue
        model = manifest["nodes"][node["attached_node"]]
        said = test["kwargs"].get("columns") or test["kwargs"].get("column_name")
        key = (said,) if isinstance(said, str) else tuple(said)
        if all(column in model["columns"] for column in key):
            found.setdefault(f"{model['schema']}.{model.get('alias') or model['name']}", []).append(key)
    return found


def _next_month(part: int) -> str:
    year, month = part // 100, part % 100
    return f"{year + month // 12:04}-{month % 12 + 1:02}-01"
