"""What a build has to do: which batches to apply, what to rebuild, and the variables dbt gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.clv.artefact import Artefact
from dagster_project.contract.contract import Contract, read_contract
from dagster_project.landing.manifest import Landing, Manifest
from dagster_project.landing.source import Extract, Feed, Source
from dagster_project.warehouse import fingerprints
from dagster_project.warehouse.releases import Release

# What an upsert feed's batches have besides the source's columns and those of every batch.
VERSION = {"_updated_at": "TIMESTAMP", "_superseded": "BOOLEAN"}


@dataclass(frozen=True)
class Plan:
    """One build.

    Attributes:
        base: the release grown from; None starts from an empty file.
        batches: the batches applied to tables that are not rebuilt.
        rebuild: names of the tables built from all of landing.
        loads: every load in the finished release.
        fits: the fitted models there are, oldest first: customers' worth is read from the last.
    """

    load_id: str
    load_date: date
    base: Release | None
    batches: tuple[Manifest, ...]
    rebuild: tuple[str, ...]
    fingerprints: dict[str, str]
    project: str
    loads: tuple[str, ...]
    variables: dict[str, Any]
    fits: Sequence[Artefact] = ()


def fit_name(fits: Sequence[Artefact]) -> str:
    """What a release calls the fit it was built with."""
    return fits[-1].folder.name if fits else ""


def make_plan(
    *,
    load_id: str,
    load_date: date,
    sources: dict[str, Source],
    landing: Landing,
    base: Release | None,
    parsed: fingerprints.Manifest,
    project: str,
    made_by: str = "",
    fits: Sequence[Artefact] = (),
) -> Plan:
    """Plan a build on `base` (None: a rebuild) with everything that has landed.

    Args:
        made_by: what else than the models' own text makes the tables; where it changes, all are rebuilt.
    """
    contract = read_contract()
    feeds = {feed.id: feed for source in sources.values() for feed in source.feeds.values()}
    now = {name: made + made_by for name, made in fingerprints.fingerprints(parsed).items()}
    applied = set(base.loads) if base else set()
    batches = tuple(manifest for manifest in landing if manifest.load_id not in applied)
    rebuild = fingerprints.to_rebuild(parsed, base.fingerprints if base else {}, now)
    history = fingerprints.feeds_behind(parsed, rebuild)
    return Plan(
        load_id=load_id,
        load_date=load_date,
        base=base,
        batches=batches,
        rebuild=tuple(rebuild),
        fingerprints=now,
        project=project,
        loads=tuple(sorted(applied | landing.loads())),
        variables={
            "load_id": load_id,
            "load_date": load_date.isoformat(),
            "batch_loads": sorted({manifest.load_id for manifest in batches}),
            "rebuild": rebuild,
            "landing": {
                feed.id: _landed(feed, landing, batches, contract, whole=feed.id in history) for feed in feeds.values()
            },
            "pii": {feed.id: _personal(feed, landing) for feed in feeds.values() if feed.pii},
            "upserted": _upserted(feeds.values()),
            "fit": fits[-1].files() if fits else {},
            "equity": [str(fit.equity) for fit in fits if fit.equity],
            "touched": _touched([manifest for manifest in batches if manifest.feed_id in feeds]),
        },
        fits=tuple(fits),
    )


def _landed(
    feed: Feed, landing: Landing, batches: Iterable[Manifest], contract: Contract, *, whole: bool
) -> dict[str, Any]:
    """The feed's system, columns and files: the night's, or all of them for a rebuild and for a changing list.

    A feed of events from which a list is derived also has its `history`, all files that ever landed.
    """
    everything = landing.batches(feed.id)
    is_list = feed.extract is Extract.UPSERT and not contract.events(feed.canonical)
    whole = whole or is_list or feed.extract is Extract.SNAPSHOT
    chosen = everything if whole else [m for m in batches if m.feed_id == feed.id]
    columns = feed.landed_columns
    found = {"system": feed.system, "trust": feed.trust, "columns": columns, "files": _files(landing, chosen)}
    if feed.extract is not Extract.SNAPSHOT and contract.lists(feed.canonical):
        found["history"] = _files(landing, everything)
    return found


def _files(landing: Landing, chosen: Iterable[Manifest]) -> list[dict[str, Any]]:
    """The batches' files, grouped by the columns they have."""
    return _grouped(
        (manifest.columns | (VERSION if manifest.mode == Extract.UPSERT else {}), landing.only(manifest), path)
        for manifest in chosen
        for path in landing.parts([manifest])
    )


def _personal(feed: Feed, landing: Landing) -> dict[str, Any]:
    """A feed's personal data: target -> its columns, and all files that ever landed."""
    columns: dict[str, list[str]] = {}
    for column, target in feed.pii.items():
        columns.setdefault(target, []).append(column)
    files = ((m.pii, landing.only(m), path) for m in landing.batches(feed.id) for path in landing.pii_parts([m]))
    return {"columns": columns, "files": _grouped(files), "person": None if feed.canonical else feed.person[0]}


def _grouped(files: Iterable[tuple[dict[str, str], tuple[str, ...], Path]]) -> list[dict[str, Any]]:
    """Files of the same columns, each once; `loads` where not all loads in them count."""
    groups: dict[str, tuple[dict[str, Any], dict[str, None]]] = {}
    for columns, loads, path in files:
        about = {"columns": columns} | ({"loads": list(loads)} if loads else {})
        groups.setdefault(str(about), (about, {}))[1][str(path)] = None
    return [about | {"paths": list(paths)} for about, paths in groups.values()]


def _upserted(feeds: Iterable[Feed]) -> dict[str, list[str]]:
    """Per canonical feed the landed feeds that bring versions of its rows."""
    found: dict[str, list[str]] = {}
    for feed in feeds:
        if feed.extract is Extract.UPSERT:
            for canonical in feed.canonical:
                found.setdefault(canonical, []).append(feed.id)
    return found


def _touched(batches: Iterable[Manifest]) -> dict[str, dict[str, Any]]:
    """Per canonical feed the business dates and months the batches brought, or took a row from."""
    found: dict[str, dict[str, Any]] = {}
    for manifest in batches:
        if manifest.mode == Extract.SNAPSHOT or manifest.business_min is None or manifest.business_max is None:
            continue
        low, high = manifest.business_min.isoformat(), manifest.business_max.isoformat()
        for canonical in manifest.canonical:
            entry = found.setdefault(canonical, {"min": low, "max": high, "months": []})
            entry["min"], entry["max"] = min(entry["min"], low), max(entry["max"], high)
            entry["months"] = sorted(set(entry["months"]) | set(manifest.months))
    return found
