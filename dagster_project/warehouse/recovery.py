"""What a load does first: remove what a killed or failed load left, and close it in the ledger."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from dagster_project.errors import ClienteleError
from dagster_project.landing import sql
from dagster_project.landing.batch import Outcome
from dagster_project.landing.manifest import Landing, remove_uncommitted
from dagster_project.settings import Settings
from dagster_project.warehouse.ledger import Ledger, batch_figures, now
from dagster_project.warehouse.releases import FILE, SPARK, Releases, Withheld, releases_of

KILLED = "killed; closed by the next load"


def recover(settings: Settings, ledger: Ledger, releases: Releases) -> list[str]:
    """Under the lock: remove what killed or failed loads left and close them in the ledger."""
    told = []
    for record in ledger.unfinished():
        load_id = record["load_id"]
        _record_batches(ledger, load_id, Landing(settings.landing))
        served = releases.current()
        on_spark = releases_of(settings, SPARK).current()
        if served and served.release == load_id:
            _close_published(ledger, load_id, releases.folder(load_id) / FILE)
            told.append(f"load {load_id} was killed after it had published")
        elif on_spark and on_spark.release == load_id:
            at = on_spark.published_at
            ledger.write("release", load_id, release=load_id, action="publish", released_at=at)
            ledger.write("load", load_id, status="published", release=load_id, finished_at=now(), message=KILLED)
            told.append(f"load {load_id} was killed after it had published")
        else:
            ledger.write("load", load_id, status="crashed", finished_at=now(), message=KILLED)
            told.append(f"load {load_id} was killed; what it had landed is applied now")
    told += [f"removed {path}" for path in remove_uncommitted(settings.landing, settings.quarantine)]
    for folder in sorted(settings.build.glob("*/")):
        shutil.rmtree(folder)
    told += [f"removed unpublished {path}" for path in releases.remove_unpublished()]
    return told


def _record_batches(ledger: Ledger, load_id: str, landing: Landing) -> None:
    """Account for batches that were committed just before the kill, from their manifests."""
    known = {(record["source"], record["feed"]) for record in ledger.records(load_id, "batch")}
    for manifest in landing:
        if manifest.load_id == load_id and (manifest.source, manifest.feed) not in known:
            ledger.write(
                "batch",
                load_id,
                source=manifest.source,
                feed=manifest.feed,
                canonical=", ".join(manifest.canonical),
                load_date=manifest.load_date,
                mode=manifest.mode,
                outcome=Outcome.LANDED.value,
                message=KILLED,
                seconds=0.0,
                **batch_figures(manifest.counts, manifest),
            )


def _close_published(ledger: Ledger, load_id: str, file: Path) -> None:
    """Give the ledger what a load killed after the switch had sealed into its release."""
    with duckdb.connect(str(file), read_only=True, config=sql.CONFIG) as con:
        found = con.execute("select * exclude (load_id) from ops.release where load_id = $1", [load_id])
        names = [column[0] for column in found.description or ()]
        record = dict(zip(names, found.fetchall()[0], strict=True)) | {"file_bytes": file.stat().st_size}
        status = con.execute("select status from ops.load where load_id = $1", [load_id]).fetchall()[0][0]
    if not ledger.records(load_id, "release"):
        ledger.write("release", load_id, **record)
    ledger.write("load", load_id, status=status, release=load_id, finished_at=now(), message=KILLED)


def settle_withheld(
    releases: Releases, load_id: str, *, resume: bool, skip: tuple[str, ...], reads_only: bool
) -> dict[str, str]:
    """Settle withheld loads as asked; returns the loads left out for good, with the load that reads them again.

    Raises:
        ClienteleError: loads are withheld and the request does not say what to do with them.
    """
    known = releases.decisions()
    unknown = set(skip) - set(known.withheld)
    if unknown:
        raise ClienteleError(
            f"load {', '.join(sorted(unknown))} is not withheld",
            remedy=f"withheld are: {', '.join(known.withheld) or '(none)'}",
        )
    skipped = known.skipped | dict.fromkeys(skip, load_id)
    withheld = [] if resume else [load for load in known.withheld if load not in skip]
    if withheld and not reads_only:
        raise ClienteleError(
            f"after the rollback these loads are withheld: {', '.join(withheld)}",
            remedy="apply them again with `clientele load --resume`, or leave one out for good with"
            " `clientele load --skip LOAD` (its rows are then read from the source again)",
        )
    if (skipped, withheld) != (known.skipped, known.withheld):
        releases.decide(Withheld(withheld, skipped))
    return skipped
