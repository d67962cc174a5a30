"""What a load did, read back from the ledger and the release: for the summary and for `status`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dagster_project.landing.manifest import Landing
from dagster_project.landing.quarantine import Quarantine
from dagster_project.settings import Settings
from dagster_project.warehouse.ledger import Ledger
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.releases import DUCKDB, Releases, releases_of

FEED_COLUMNS = (
    "rows_read",
    "rows_accepted",
    "rows_unchanged",
    "rows_already_landed",
    "rows_quarantined",
    "rows_rejected",
    "rows_deleted",
)


def load_report(settings: Settings, load_id: str) -> dict[str, Any]:
    """Everything worth telling about one load; keys are stable, values JSON-able."""
    ledger = Ledger(settings.ledger)
    load = ledger.load(load_id)
    batches = {f"{r['source']}.{r['feed']}": r for r in ledger.records(load_id, "batch")}
    quality = ledger.records(load_id, "quality_result")
    engine = load.get("engine") or DUCKDB
    served = releases_of(settings, engine).current()
    published = served if served and served.release == load.get("release") else None
    differing = [r for r in ledger.records(load_id, "reconciliation") if Decimal(r["difference"])]
    return {
        "load_id": load_id,
        "load_date": load.get("load_date"),
        "kind": load.get("kind"),
        "status": load.get("status"),
        "message": load.get("message") or "",
        "release": load.get("release"),
        "engine": engine,
        "warehouse": str(settings.warehouse) if published and engine == DUCKDB else None,
        "feeds": [
            {"feed": name, "outcome": r["outcome"]}
            | {column.removeprefix("rows_"): r[column] for column in FEED_COLUMNS}
            | {"seconds": round(r["seconds"], 2), "message": r["message"]}
            for name, r in batches.items()
        ],
        "checks": {
            "passed": sum(bool(r["success"]) for r in quality),
            "failed": sum(not r["success"] for r in quality),
            "broken": [
                {"severity": r["severity"], "rule": r["rule"], "message": r["message"]}
                for r in quality
                if not r["success"]
            ],
        },
        "tables": published.tables if published else {},
        "rebuilt": next((r["rebuilt_tables"] for r in ledger.records(load_id, "release")), ""),
        "file_bytes": published.file_bytes if published else None,
        "reconciliation": {
            "compared": len(ledger.records(load_id, "reconciliation")),
            "differing": differing,
            "measures": [
                {key: r[key] for key in ("from_table", "to_table", "measure", "expected", "actual")}
                for r in ledger.records(load_id, "reconciliation")
            ],
        },
        "stages": stages(ledger, load_id),
    }


def stages(ledger: Ledger, load_id: str) -> list[dict[str, Any]]:
    """Seconds per stage in the order they ran."""
    return [{"stage": r["stage"], "seconds": round(r["seconds"], 2)} for r in ledger.records(load_id, "stage_timing")]


def status_report(settings: Settings, loads: int) -> dict[str, Any]:
    """The state of the warehouse: what is served, what runs, the last loads, what waits in quarantine."""
    ledger = Ledger(settings.ledger)
    releases = Releases(settings.releases, settings.warehouse)
    current = releases.current()
    lock = WriterLock(settings.home)
    decisions = releases.decisions()
    landing = Landing(settings.landing, without=decisions.skipped)
    return {
        "served": current
        and {
            "release": current.release,
            "load_date": current.load_date.isoformat(),
            "published_at": current.published_at,
            "warehouse": str(settings.warehouse),
            "file_bytes": current.file_bytes,
        },
        "running": lock.holder() if lock.is_held() else None,
        "loads": [
            {
                "load_id": load_id,
                "load_date": record.get("load_date"),
                "kind": record.get("kind"),
                "status": _status(record, lock),
                "started_at": (record.get("started_at") or "")[:19],
                "message": (record.get("message") or "").split("\n")[0][:120],
            }
            for load_id in reversed(ledger.loads()[-loads:])
            for record in [ledger.load(load_id)]
        ],
        "feeds": _freshness(landing),
        "quarantine": Quarantine(settings.quarantine, landing).balance(),
        "withheld": decisions.withheld,
        "skipped": list(decisions.skipped),
    }


def _status(record: dict[str, Any], lock: WriterLock) -> str:
    """A load that says it runs while nobody holds the lock was killed; the next load closes it."""
    status = str(record.get("status"))
    return "crashed" if status == "running" and not lock.is_held() else status


def _freshness(landing: Landing) -> list[dict[str, Any]]:
    by_feed: dict[str, dict[str, Any]] = {}
    for manifest in landing:
        row = by_feed.setdefault(
            manifest.feed_id, {"feed": manifest.feed_id, "batches": 0, "rows_landed": 0, "newest": None}
        )
        row["batches"] += 1
        row["rows_landed"] += manifest.counts.accepted
        newest = [str(d) for d in (row["newest"], manifest.business_max) if d]
        row["newest"] = max(newest, default=None)
        row["last_load"] = manifest.load_id
    return [by_feed[name] for name in sorted(by_feed)]
