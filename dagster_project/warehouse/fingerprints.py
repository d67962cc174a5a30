"""What each table is made by, as a hash; a table whose hash changed is rebuilt with all that hangs on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]
STORED = {"table", "incremental", "seed"}
# Macros whose result follows what models/semantic declares.
DICTIONARY_READERS = {"semantic_model", "catalog_rows"}


def project_fingerprint(dbt_dir: Path, *extra: str) -> str:
    """A hash over the dbt project's own files: unchanged means no table's fingerprint changed."""
    digest = hashlib.sha256("\0".join(extra).encode())
    for path in sorted(dbt_dir.rglob("*")):
        if path.suffix in {".sql", ".yml", ".csv"} and not {"target", "logs"} & set(path.parts):
            digest.update(str(path.relative_to(dbt_dir)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def models(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Models and seeds of the project by unique id."""
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] in {"model", "seed"}}


def published(manifest: Manifest) -> set[str]:
    """`<schema>.<name>` of the tables and views that a release holds, personal data left out."""
    return {
        f"{node['schema']}.{node['name']}"
        for node in models(manifest).values()
        if _published(node) and node.get("database") != "pii"
    }


def fingerprints(manifest: Manifest) -> dict[str, str]:
    """Per stored table (by name): SQL, contract, configuration, macros, and the same of the views below it."""
    nodes = models(manifest)

    @cache
    def macro_text(unique_id: str) -> tuple[str, ...]:
        macro = manifest["macros"].get(unique_id)
        # dbt's own and the adapter's macros change with their pinned version, not from night to night
        if macro is None or macro["package_name"] in {"dbt", "dbt_duckdb", "dbt_spark"}:
            return ()
        below = (text for parent in macro["depends_on"]["macros"] for text in macro_text(parent))
        read = (_dictionary(manifest),) if macro["name"] in DICTIONARY_READERS else ()
        return (macro["macro_sql"], *read, *below)

    @cache
    def made_by(unique_id: str) -> str:
        node = nodes[unique_id]
        columns = {name: column.get("data_type") for name, column in node["columns"].items()}
        constraints = {name: column.get("constraints") for name, column in node["columns"].items()}
        config = {
            key: node["config"].get(key)
            for key in (
                "materialized",
                "unique_key",
                "incremental_strategy",
                "pre-hook",
                "post-hook",
                "column_types",
            )
        }
        parts = [
            node.get("raw_code", ""),
            node["checksum"]["checksum"],
            json.dumps([columns, constraints, config], sort_keys=True, default=str),
            *sorted({text for macro in node["depends_on"].get("macros", []) for text in macro_text(macro)}),
            *(made_by(parent) for parent in _parents(node) if parent in nodes and not _stored(nodes[parent])),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    return {node["name"]: made_by(key) for key, node in nodes.items() if _stored(node)}


def _dictionary(manifest: Manifest) -> str:
    """The semantic models and metrics as they are declared, whenever they were parsed."""
    kept = [
        {name: value for name, value in node.items() if name != "created_at"}
        for kind in ("semantic_models", "metrics")
        for _, node in sorted(manifest[kind].items())
    ]
    return json.dumps(kept, sort_keys=True)


def to_rebuild(manifest: Manifest, before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Names of the stored tables whose fingerprint changed or is new, and of all their descendants."""
    nodes = models(manifest)
    children: dict[str, list[str]] = {}
    for key, node in nodes.items():
        for parent in _parents(node):
            children.setdefault(parent, []).append(key)
    todo = [key for key, node in nodes.items() if _stored(node) and before.get(node["name"]) != now[node["name"]]]
    reached: set[str] = set()
    while todo:
        key = todo.pop()
        if key not in reached:
            reached.add(key)
            todo.extend(children.get(key, ()))
    return sorted(nodes[key]["name"] for key in reached if _stored(nodes[key]))


def unfilled(manifest: Manifest) -> set[str]:
    """Names of the tables that grow by feeds no enabled source fills: nothing can come, so a night can pass them by."""
    return {
        node["name"]
        for node in models(manifest).values()
        if node["config"]["materialized"] == "incremental"
        and any(parent in manifest["nodes"] and _canonical(manifest["nodes"][parent]) for parent in _parents(node))
        and not feeds_behind(manifest, [node["name"]])
    }


def unread(manifest: Manifest, idle: Iterable[str] = ()) -> list[str]:
    """Names of the idle tables, and of what only serves a build (database `staged`), if nothing that runs reads them.

    What runs are the other published tables, what they read, and their tests with what those read.
    """
    nodes = models(manifest)
    tests: dict[str, list[str]] = {}
    for test in _tests(manifest).values():
        if attached := test.get("attached_node"):
            tests.setdefault(attached, []).extend(_parents(test))
    read: set[str] = set()
    resting = set(idle)
    todo = [key for key, node in nodes.items() if _published(node) and node["name"] not in resting]
    while todo:
        key = todo.pop()
        if key in nodes and key not in read:
            read.add(key)
            todo.extend(_parents(nodes[key]) + tests.get(key, []))
    return sorted(node["name"] for key, node in nodes.items() if key not in read)


def due_tests(manifest: Manifest, left_out: Iterable[str]) -> set[str]:
    """Unique ids of the tests that a build without the models `left_out` has to run.

    A test of a model is due if the model runs; one that belongs to no model, if all it reads runs.
    """
    resting = set(left_out)
    running = {key for key, node in models(manifest).items() if node["name"] not in resting}
    known = models(manifest).keys()
    return {
        key
        for key, test in _tests(manifest).items()
        if (
            test["attached_node"] in running
            if test.get("attached_node")
            else all(parent in running for parent in _parents(test) if parent in known)
        )
    }


def feeds_behind(manifest: Manifest, names: Iterable[str]) -> set[str]:
    """Ids (`source.feed`) of the feeds these tables read through views: those need all of landing."""
    nodes = models(manifest)
    wanted = set(names)
    todo = [parent for node in nodes.values() if node["name"] in wanted for parent in _parents(node)]
    feeds: set[str] = set()
    seen: set[str] = set()
    while todo:
        key = todo.pop()
        if key in seen:
            continue
        seen.add(key)
        if key.startswith("source."):
            source = manifest["sources"][key]
            feeds.add(f"{source['source_name']}.{source['name']}")
        elif key in nodes and not _stored(nodes[key]):
            todo.extend(_parents(nodes[key]))
    return feeds


def _tests(manifest: Manifest) -> dict[str, dict[str, Any]]:
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "test"}


def _parents(node: dict[str, Any]) -> list[str]:
    return list(node["depends_on"].get("nodes", []))


def _canonical(node: dict[str, Any]) -> bool:
    return bool(node["schema"] == "canonical")


def _published(node: dict[str, Any]) -> bool:
    kept = _stored(node) or node["config"]["materialized"] == "view"
    return kept and node.get("database") != "staged"


def _stored(node: dict[str, Any]) -> bool:
    return node["resource_type"] == "seed" or node["config"]["materialized"] in STORED
