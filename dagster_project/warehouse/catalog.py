"""What the warehouse measures: canonical feed -> who fills it, which table holds it, and why it is empty if it is."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from dagster_project.contract.contract import CanonicalFeed, read_contract
from dagster_project.landing import sql
from dagster_project.landing.source import Feed, read_sources
from dagster_project.settings import Settings
from dagster_project.warehouse import dbt, fingerprints
from dagster_project.warehouse.reconciliation import Table, compared, reconciling_tables
from dagster_project.warehouse.releases import Release, Releases


def catalog(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Two lists of records.

    Returns:
        `canonical`: per canonical feed what fills it, its table and rows there, whether it is measured, else why not,
        and the table's columns that hold no value at all. `landed`: per landed feed what it fills, the tables it is
        reconciled with, else why it is not.
    """
    parsed = dbt.read_manifest(settings)
    tables = reconciling_tables(parsed)
    release = Releases(settings.releases, settings.warehouse).current()
    feeds = [
        feed
        for source in read_sources(settings.sources_dir, settings.enabled_sources).values()
        for feed in source.feeds.values()
    ]
    empty = _empty_columns(settings, parsed, tables, release) if release else {}
    staging: dict[str, list[str]] = json.loads(dbt.staging_models(settings))
    return {
        "canonical": [
            _canonical(feed, feeds, staging.get(feed.name, []), tables.get(feed.name), release, settings)
            | {"columns_not_measured": empty.get(feed.name, [])}
            for feed in read_contract().feeds.values()
        ],
        "landed": [_landed(feed, tables) for feed in feeds],
    }


def _canonical(
    feed: CanonicalFeed,
    feeds: list[Feed],
    staging: list[str],
    table: Table | None,
    release: Release | None,
    settings: Settings,
) -> dict[str, Any]:
    fillers = [landed.id for landed in feeds if feed.name in landed.canonical]
    rows = release.tables.get(table.name) if release and table else None
    if not fillers:
        others = sorted(
            path.parent.name
            for path in (settings.dbt_dir / "models" / "staging").glob(f"*/stg_*__{feed.name}.sql")
            if path.parent.name not in settings.enabled_sources
        )
        why = "no enabled source fills it" + (f"; {', '.join(others)} would" if others else "")
    elif not staging:
        why = f"there is no staging model stg_{fillers[0].partition('.')[0]}__{feed.name}"
    elif table is None:
        why = "no table holds it yet"
    elif not rows:
        why = "nothing has landed yet"
    else:
        why = ""
    return {
        "feed": feed.name,
        "class": feed.data_class.value,
        "shape": feed.shape.value,
        "description": feed.description,
        "filled_by": fillers,
        "table": table.name if table else None,
        "rows": rows,
        "measured": not why,
        "why_not": why,
    }


def _landed(feed: Feed, tables: dict[str, Table]) -> dict[str, Any]:
    destinations = [name for group in compared(feed, tables) for name in group]
    events = read_contract().events(feed.canonical)
    why = ""
    if not destinations:
        if without := [name for name in events or feed.canonical if name not in tables]:
            why = f"no table holds {', '.join(without)} yet"
        elif feed.versions_of:
            why = "its rows are versions of members, which its keys do not count"
        elif feed.canonical:
            why = "a list derived from events has no rows of its own"
        else:
            why = "it fills nothing by itself; staging models look things up in it"
    return {
        "feed": feed.id,
        "fills": list(feed.canonical),
        "reconciled_with": [tables[name].name for name in destinations],
        "why_not": why,
    }


def _empty_columns(
    settings: Settings, parsed: fingerprints.Manifest, tables: dict[str, Table], release: Release
) -> dict[str, list[str]]:
    """Canonical feed -> columns of its table without a single value; members that are special don't count."""
    nodes = {f"{node['schema']}.{node['name']}": node for node in fingerprints.models(parsed).values()}
    found: dict[str, list[str]] = {}
    with duckdb.connect(str(settings.warehouse.resolve()), read_only=True, config=sql.CONFIG) as con:
        for feed, table in tables.items():
            if not release.tables.get(table.name):
                continue
            described = nodes[table.name]["columns"]
            nullable = [
                name
                for name, column in described.items()
                if not any(rule["type"] == "not_null" for rule in column["constraints"])
            ]
            if not nullable:
                continue
            first = next(iter(described))
            real = f" where {first} > 0" if first.endswith("_key") else ""
            counted = ", ".join(f"count({name})" for name in nullable)
            counts = con.execute(f"select {counted} from {table.name}{real}").fetchall()[0]
            found[feed] = [name for name, count in zip(nullable, counts, strict=True) if not count]
    return found
