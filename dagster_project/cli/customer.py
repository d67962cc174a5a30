"""`clientele customer`: which records of which systems make a customer, and why."""

from __future__ import annotations

from typing import Annotated, Any

import duckdb
import typer

from dagster_project.cli.output import AsJson, console, print_json, table
from dagster_project.errors import ClienteleError
from dagster_project.landing import sql
from dagster_project.settings import settings

app = typer.Typer(help="One customer over all systems.", no_args_is_help=True)

RECORDS = """
    select
        c.source_system, c.customer_id, b.method, b.confidence, b.valid_from as since, c.is_deleted, c.is_inferred,
        c.customer_durable_key
    from star.bridge_identity b
    join star.dim_customer c on b.customer_durable_key = c.customer_durable_key and c.is_current
    where b.mastered_customer_key = $key and b.is_current
    order by c.source_system, c.customer_id
"""
# Spans in which a record of this customer was another one, or another record was this one.
FORMER = """
    select
        c.source_system, c.customer_id, b.mastered_customer_key, b.method, b.confidence, b.valid_from, b.valid_to
    from star.bridge_identity b
    join star.dim_customer c on b.customer_durable_key = c.customer_durable_key and c.is_current
    where not b.is_current and (
        b.mastered_customer_key = $key
        or b.customer_durable_key in (
            select customer_durable_key from star.bridge_identity where mastered_customer_key = $key and is_current
        )
    )
    order by b.valid_from, c.source_system, c.customer_id
"""
ATTRIBUTES = """
    select attribute_name as attribute, attribute_value, survivorship_rule, source_system, customer_id
    from star.mastered_customer_source where mastered_customer_key = $key order by attribute_name
"""


@app.callback()
def customer() -> None:
    """One customer over all systems."""


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="SYSTEM:ID as a source numbers it, or a durable or mastered key.")],
    as_json: AsJson = False,
) -> None:
    """Show the records behind a customer, what links them, and where each attribute comes from.

    Holds no personal data: names and addresses are in pii.duckdb.

    Examples:

      clientele customer show complete_journey:1

      clientele customer show 512804327411234567
    """
    if not settings().warehouse.exists():
        raise ClienteleError("nothing was published yet", remedy="run: clientele load")
    with duckdb.connect(str(settings().warehouse.resolve()), read_only=True, config=sql.CONFIG) as con:
        mastered = _mastered(con, key)
        found: dict[str, Any] = {"mastered_customer_key": mastered}
        for name, query in (("records", RECORDS), ("former", FORMER), ("attributes", ATTRIBUTES)):
            result = con.execute(query, {"key": mastered})
            columns = [column[0] for column in result.description or ()]
            found[name] = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    if as_json:
        print_json(found)
        return
    console.print(f"[bold]Customer {mastered}[/bold]: {len(found['records'])} records")
    console.print()
    table("Records", [_spoken(row) for row in found["records"]])
    for row in found["former"]:
        console.print(
            f"  {row['source_system']} {row['customer_id']} belonged to {row['mastered_customer_key']}"
            f" ({row['method']}) until {row['valid_to']}",
            markup=False,
        )
    table("Attributes and the record each survived from", found["attributes"])


def _spoken(row: dict[str, Any]) -> dict[str, Any]:
    """A record for people: keys as text, for a number would be grouped by thousands."""
    return row | {"customer_durable_key": str(row["customer_durable_key"]), "confidence": float(row["confidence"])}


def _mastered(con: duckdb.DuckDBPyConnection, key: str) -> int:
    system, colon, customer_id = key.partition(":")
    if colon:
        query = """
            select b.mastered_customer_key from star.dim_customer c
            join star.bridge_identity b on c.customer_durable_key = b.customer_durable_key and b.is_current
            where c.source_system = $system and c.customer_id = $id and c.is_current
        """
        found = con.execute(query, {"system": system, "id": customer_id}).fetchone()
        told = f"there is no customer {customer_id} in system {system}"
    elif key.lstrip("-").isdigit():
        query = """
            select mastered_customer_key from star.bridge_identity
            where is_current and $key in (customer_durable_key, mastered_customer_key)
        """
        found = con.execute(query, {"key": int(key)}).fetchone()
        told = f"there is no customer with the key {key}"
    else:
        raise ClienteleError(f"{key!r} names no customer", remedy="write SYSTEM:ID, or a key of bridge_identity")
    if found is None:
        raise ClienteleError(told, remedy='see the systems with: clientele sql "from star.dim_customer limit 10"')
    return int(found[0])
