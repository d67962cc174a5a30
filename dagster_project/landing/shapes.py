"""Rows kept under earlier schema versions, seen through today's columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dagster_project.landing import sql
from dagster_project.landing.manifest import Manifest

Columns = dict[str, str]


@dataclass(frozen=True)
class Known:
    """Rows of one shape that landed or were set aside.

    Attributes:
        relation: SQL with the compared columns, `_load_id` and `_row`.
        compared: the columns that these rows and today's have in common, with the type both are compared as:
            a column that is new since must not make every old row look changed.
    """

    relation: str
    compared: Columns

    def same(self, now: Columns, left: str, right: str, only: Iterable[str] | None = None) -> str:
        """SQL: the row `left` of today equals the row `right` of this relation, NULL equal to NULL."""
        chosen = [name for name in only or self.compared if name in self.compared]
        return " and ".join(
            f"{self.value(now, name, left)} is not distinct from {right}.{sql.quote(name)}" for name in chosen
        )

    def value(self, now: Columns, name: str, alias: str) -> str:
        """SQL of a column of today's row in the type it is compared as."""
        column, kind = f"{alias}.{sql.quote(name)}", self.compared[name]
        return column if now[name] == kind else f"try_cast({column} as {kind})"


def group_by_shape(manifests: Iterable[Manifest]) -> list[tuple[Columns, list[Manifest]]]:
    """The batches by the columns they have, in landing order within each."""
    groups: dict[str, tuple[Columns, list[Manifest]]] = {}
    for manifest in manifests:
        groups.setdefault(str([manifest.columns, manifest.pii]), (manifest.columns, []))[1].append(manifest)
    return list(groups.values())


def known(then: Columns, now: Columns, paths: Iterable[Path], condition: str = "") -> Known:
    """Rows of one shape, to be compared with today's; a column retyped from or to text as its other type."""
    compared = {name: then[name] if kind == "VARCHAR" else kind for name, kind in now.items() if name in then}
    values = ", ".join(_cast(name, then[name], kind) for name, kind in compared.items())
    return Known(f"(select {values}, _load_id, _row from {sql.parquet(paths)} k{condition})", compared)


def as_now(then: Columns, now: Columns) -> str:
    """Select list of rows of an earlier shape in today's columns; NULL for what they lack or can't be cast to."""
    return ", ".join(
        _cast(name, then[name], kind) if name in then else f"cast(null as {kind}) as {sql.quote(name)}"
        for name, kind in now.items()
    )


def _cast(name: str, then: str, kind: str) -> str:
    return f"k.{sql.quote(name)}" if then == kind else f"try_cast(k.{sql.quote(name)} as {kind}) as {sql.quote(name)}"
