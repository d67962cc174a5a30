"""PostgreSQL's types and DuckDB's: how a column is fetched, and what it may be declared as.

Numbers, booleans and bytes come in binary. All else comes as PostgreSQL's own text, which says every value
exactly (numeric of any length, infinite dates, ranges, arrays, documents); it is cast here and checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dagster_project.landing import sql, text

BINARY = {
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "bytea": "BLOB",
}
AS_TEXT = {
    "date": "DATE",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "time without time zone": "TIME",
    "uuid": "UUID",
}
INTEGERS = ("smallint", "integer", "bigint")
NUMERIC = re.compile(r"^numeric(?:\((\d+),(-?\d+)\))?$")
PRECISION = re.compile(r"\(\d+\)")


@dataclass(frozen=True)
class Column:
    """A column as the database has it.

    Attributes:
        name: as it is there.
        kind: its type as format_type writes it, a domain's base type for a domain.
    """

    name: str
    kind: str

    @property
    def base(self) -> str:
        """The type without precision: timestamp(3) without time zone is a timestamp without time zone."""
        return PRECISION.sub("", self.kind)

    @property
    def is_binary(self) -> bool:
        return self.base in BINARY

    @property
    def fetched(self) -> str:
        """SQL for PostgreSQL: the column as it is sent."""
        name = sql.quote(self.name)
        if self.is_binary:
            return name
        return f"({name}::numeric)::text" if self.base == "money" else f"{name}::text"

    def read_as(self, declared: str | None) -> str:
        """The DuckDB type it is read as: the declared one if it can hold such values, else its own."""
        return declared if declared and self._may_be(declared) else self._own

    @property
    def _own(self) -> str:
        if self.base in BINARY:
            return BINARY[self.base]
        if self.base == "money":
            return "DECIMAL(19,2)"
        numeric = NUMERIC.match(self.kind)
        if numeric and numeric[1] and 0 <= int(numeric[2]) <= int(numeric[1]) <= 38:
            return f"DECIMAL({numeric[1]},{numeric[2]})"
        return AS_TEXT.get(self.base, "VARCHAR")

    def _may_be(self, declared: str) -> bool:
        """Whether all values that fit the declared type say the same in it; each value is checked when it is read."""
        if declared in {"VARCHAR", self._own}:
            return True
        is_decimal, is_integer = bool(text.DECIMAL.match(declared)), bool(text.INTEGER.match(declared))
        if self.base in INTEGERS:
            return is_integer or is_decimal
        if self.base == "real":
            return declared == "DOUBLE"
        return (NUMERIC.match(self.kind) is not None or self.base == "money") and is_decimal

    def unreadable(self, fetched: str, kind: str) -> str:
        """SQL for DuckDB: true where the fetched value is there and has no equal of the type."""
        if self.is_binary:
            return f"({fetched} is not null and try_cast({fetched} as {kind}) is null)"
        return text.unreadable(fetched, kind)
