"""Landing one feed for one load: open, window, identity, gate, commit.

Every row read ends in exactly one of accepted, unchanged, already landed, quarantined and rejected; a batch
that does not add up is not committed.
"""

from __future__ import annotations

import errno
import shutil
import time
from dataclasses import dataclass, field
from enum import StrEnum

import duckdb

from dagster_project.errors import ClienteleError, SourceUnavailableError
from dagster_project.landing import sql
from dagster_project.landing.extraction import CriticalError, Extraction, Gate, Night, Verdict
from dagster_project.landing.manifest import Counts, Manifest
from dagster_project.landing.reader import explain
from dagster_project.landing.source import Feed, Source

# A mount that hiccups is worth a second try; a full disk or a missing right is not.
TRANSIENT = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.EINTR}


class Outcome(StrEnum):
    LANDED = "landed"
    NOTHING_NEW = "nothing new"
    FAILED = "failed"


@dataclass
class FeedResult:
    """What became of one feed in one load."""

    feed: Feed
    outcome: Outcome
    counts: Counts = field(default_factory=lambda: Counts())
    manifest: Manifest | None = None
    verdict: Verdict | None = None
    drift: list[str] = field(default_factory=list)
    message: str = ""
    remedy: str = ""
    transient: bool = False
    seconds: float = 0.0

    @property
    def told(self) -> str:
        """What the operator should read of it: what happened and what to do, or how the shape changed."""
        if self.message:
            return f"{self.message}\n  -> {self.remedy}" if self.remedy else self.message
        return "; ".join(self.drift)


def land_feed(night: Night, source: Source, feed: Feed, gate: Gate) -> FeedResult:
    """Land what is new of a feed. Never raises for what a feed can cause: the other feeds go on."""
    started = time.perf_counter()
    work = night.landing.root / feed.source / feed.name / f".extract-{night.load_id}"
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir(mode=0o700)  # the extract holds personal data until it is split
        with sql.scratch(work / "spill", night.memory_limit, night.threads) as con:
            extraction = Extraction(night, source, feed, con, work)
            manifest = extraction.run(gate)
            result = FeedResult(
                feed,
                Outcome.LANDED if manifest else Outcome.NOTHING_NEW,
                counts=extraction.counts,
                manifest=manifest,
                verdict=extraction.verdict,
                drift=extraction.drift.lines() if extraction.drift else [],
                message=extraction.message,
            )
    except CriticalError as error:
        result = FeedResult(feed, Outcome.FAILED, message=error.message, remedy=error.remedy, verdict=error.verdict)
    except ClienteleError as error:
        result = FeedResult(
            feed,
            Outcome.FAILED,
            message=error.message,
            remedy=error.remedy,
            transient=isinstance(error, SourceUnavailableError),
        )
    except duckdb.Error as error:
        told = explain(feed, error)
        result = FeedResult(feed, Outcome.FAILED, message=told.message, remedy=told.remedy)
    except OSError as error:
        result = FeedResult(
            feed,
            Outcome.FAILED,
            transient=error.errno in TRANSIENT,
            message=f"{feed.id}: {error.strerror or error}: {error.filename or work}",
            remedy="free space or correct the rights under CLIENTELE_HOME (`clientele doctor`), load again",
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    result.seconds = time.perf_counter() - started
    return result
