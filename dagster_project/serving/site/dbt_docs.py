"""dbt's own documentation of a release in one file, as `dbt docs generate --static` writes it.

dbt would open the release to read its columns, and write to it; so its catalog is made here, from the file read-only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

INLINE = '"{}.JSON INLINE DATA"'
NO_STATS = {
    "has_stats": {"id": "has_stats", "label": "Has Stats?", "value": False, "include": False, "description": ""}
}


def dbt_docs(con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> str:
    """The page, with the manifest and the catalog in it.

    Args:
        con: a connection whose default database is the release.
    """
    import dbt.task.docs

    page = (Path(dbt.task.docs.__file__).parent / "index.html").read_text(encoding="utf-8")
    for name, told in (("MANIFEST", manifest), ("CATALOG", _catalog(con, manifest))):
        place = INLINE.format(name)
        # within a script `</` would end it
        page = page.replace(place, json.dumps(told).replace("</", "<\\/"))
    return page


def _catalog(con: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """dbt's catalog.json: of each table that was built its kind and its columns' types."""
    kinds = dict(
        con.execute(
            "select table_schema || '.' || table_name, table_type from information_schema.tables"
            " where table_catalog = current_database()"
        ).fetchall()
    )
    columns: dict[str, list[tuple[str, str]]] = {}
    for name, column, type_ in con.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns()"
        " where database_name = current_database() order by 1, column_index"
    ).fetchall():
        columns.setdefault(name, []).append((column, type_))
    nodes = {}
    for identity, node in manifest["nodes"].items():
        name = f"{node.get('schema')}.{node.get('alias') or node['name']}"
        if node["resource_type"] not in {"model", "seed"} or name not in kinds:
            continue
        schema, table = name.split(".")
        nodes[identity] = {
            "unique_id": identity,
            "metadata": {"type": kinds[name], "schema": schema, "name": table, "database": "warehouse",
                         "comment": None, "owner": None},
            "columns": {
                column: {"type": type_, "index": nth + 1, "name": column, "comment": None}
                for nth, (column, type_) in enumerate(columns[name])
            },
            "stats": NO_STATS,
        }  # fmt: skip
    return {"metadata": {}, "nodes": nodes, "sources": {}, "errors": None}
