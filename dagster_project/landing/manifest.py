"""The manifest that commits a batch, and the catalogue of what has landed.

A folder `landing/<source>/<feed>/load=<id>/` is a batch if, and only if, `manifest.json` is in it; the
manifest is written last. What a killed load left without one is removed by the next load. Compaction puts
many batches into one folder `compacted=<id>/`, whose manifest holds theirs; their own folders count no more.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

PART = "part.parquet"
PII = "pii.parquet"
MANIFEST = "manifest.json"
COMPACTED = "compacted="


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class SourceFile(Frozen):
    """A file as it was read. sha256 is taken anew only when size or time changed."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


class SourceTable(Frozen):
    """A table or query as it was read: host, port, database and name; the moment it shows (UTC); rows of the window."""

    path: str
    snapshot_at: datetime
    rows: int


class Counts(Frozen):
    """What became of the rows of one batch; `read` equals the five others, deletes stand apart."""

    read: int = 0
    accepted: int = 0
    unchanged: int = 0
    already_landed: int = 0
    quarantined: int = 0
    rejected: int = 0
    deleted: int = 0
    replayed: int = 0  # of the rows read, those that came from quarantine
    tombstones: int = 0  # of the rows accepted, those by which the source says that a row is gone

    def balanced(self) -> bool:
        parts = self.accepted + self.unchanged + self.already_landed + self.quarantined + self.rejected
        return self.read == parts


class QuarantinedRows(Frozen):
    """Rows of one quarantined batch, by their ordinal there."""

    load_id: str
    rows: tuple[int, ...]


class Manifest(Frozen):
    """One batch: where it came from, what it holds, what became of every row read."""

    load_id: str
    load_date: date
    source: str
    feed: str
    canonical: tuple[str, ...]
    mode: str
    schema_version: int
    columns: dict[str, str]
    pii: dict[str, str] = Field(default_factory=dict, description="Personal columns, which lie in pii.parquet.")
    files: tuple[SourceFile, ...]
    tables: tuple[SourceTable, ...] = ()
    watermark_from: datetime | None = None
    watermark_to: datetime | None = None
    business_min: date | None = None
    business_max: date | None = None
    counts: Counts
    current_keys: int | None = Field(None, description="Snapshot and upsert: keys alive after this batch.")
    key_range: tuple[str, str] | None = Field(
        None, description="Upsert: least and greatest value of the first key column, where it is a number or text."
    )
    months: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="First of month -> control totals (rows and sums as decimals); of an upsert feed what they change"
        " by, so that the sum over all batches is the state now. A month that only loses a row is named too.",
    )
    replayed: tuple[QuarantinedRows, ...] = ()
    superseded: tuple[QuarantinedRows, ...] = ()

    @field_validator("canonical", mode="before")
    @classmethod
    def _one_name(cls, value: object) -> object:
        """Batches that landed before a feed could fill several canonical feeds hold one name."""
        return (value,) if isinstance(value, str) else value

    @property
    def feed_id(self) -> str:
        return f"{self.source}.{self.feed}"

    def overlaps(self, low: date, high: date) -> bool:
        """The batch has rows of business dates in [low, high]."""
        if self.business_min is None or self.business_max is None:
            return False
        return self.business_min <= high and self.business_max >= low


class Compaction(Frozen):
    """Batches of one feed and shape whose rows lie in one file, each row with its `_load_id`."""

    batches: tuple[Manifest, ...]


def on_disk(path: Path) -> None:
    """Flush a file: the manifest that follows must not outlive what it commits."""
    if path.exists():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def write_durably(path: Path, text: str) -> None:
    """Write beside, flush to the disk, rename: the file is there whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Landing:
    """What has landed, as of one moment. Loads that were skipped for good are left out.

    Args:
        root: the landing folder.
        without: loads whose batches don't count -> the first load that reads their rows again.
        up_to: later loads don't count either.
    """

    def __init__(self, root: Path, without: Mapping[str, str] | None = None, up_to: str | None = None) -> None:
        self.root = root
        self.without = dict(without or {})
        self.up_to = up_to
        self._left_out: dict[str, list[Manifest]] = {}
        self._compacted: dict[tuple[str, str], tuple[Path, Compaction]] = {}

    @cached_property
    def _by_feed(self) -> dict[str, list[Manifest]]:
        found: dict[str, list[Manifest]] = {}
        for folder, compaction in compactions(self.root):
            for manifest in compaction.batches:
                self._compacted[manifest.feed_id, manifest.load_id] = folder, compaction
                self._count(manifest, found)
        for path in self.root.glob(f"*/*/load=*/{MANIFEST}"):
            source, feed, load = path.parts[-4:-1]
            if (f"{source}.{feed}", load.removeprefix("load=")) not in self._compacted:
                self._count(Manifest.model_validate_json(path.read_bytes()), found)
        for manifests in (*found.values(), *self._left_out.values()):
            manifests.sort(key=lambda manifest: manifest.load_id)
        return dict(sorted(found.items()))

    def _count(self, manifest: Manifest, found: dict[str, list[Manifest]]) -> None:
        if not self.up_to or manifest.load_id <= self.up_to:
            kept = self._left_out if manifest.load_id in self.without else found
            kept.setdefault(manifest.feed_id, []).append(manifest)

    def batches(self, feed_id: str) -> list[Manifest]:
        """The feed's batches in landing order."""
        return list(self._by_feed.get(feed_id, ()))

    def read_again_from(self, feed_id: str) -> list[datetime | None]:
        """Where the left out batches of an append feed began that no later load has read again (None: at the start)."""
        batches = self.batches(feed_id)

        def is_read(left_out: Manifest) -> bool:
            since = left_out.watermark_from
            return any(
                batch.load_id >= self.without[left_out.load_id]
                and (batch.watermark_from is None or (since is not None and batch.watermark_from <= since))
                for batch in batches
            )

        return [batch.watermark_from for batch in self._left_out.get(feed_id, ()) if not is_read(batch)]

    def has_lost(self, feed_id: str) -> bool:
        """Batches of the feed were left out, and no batch that landed since knows it."""
        known = max((batch.load_id for batch in self.batches(feed_id)), default="")
        return any(self.without[batch.load_id] > known for batch in self._left_out.get(feed_id, ()))

    def __iter__(self) -> Iterator[Manifest]:
        return (manifest for manifests in self._by_feed.values() for manifest in manifests)

    def folder(self, manifest: Manifest) -> Path:
        """Where the batch lies: its own folder, or the one it was compacted into."""
        if compacted := self._by_feed and self._compacted.get((manifest.feed_id, manifest.load_id)):
            return compacted[0]
        return self.root / manifest.source / manifest.feed / f"load={manifest.load_id}"

    def is_compacted(self, manifest: Manifest) -> bool:
        return bool(self._by_feed) and (manifest.feed_id, manifest.load_id) in self._compacted

    def only(self, manifest: Manifest) -> tuple[str, ...]:
        """The loads that count of the file the batch lies in, where that holds rows of others too; else none.

        A compacted file holds what every kept release holds, so only an as-of build leaves any of it out.
        """
        if not self.is_compacted(manifest):
            return ()
        together = {batch.load_id for batch in self._compacted[manifest.feed_id, manifest.load_id][1].batches}
        counting = together & {batch.load_id for batch in self.batches(manifest.feed_id)}
        return tuple(sorted(counting)) if counting < together else ()

    def parts(self, manifests: Iterable[Manifest]) -> list[Path]:
        """The files that hold the batches' rows, each once. A compacted one holds rows of other loads, too."""
        return list(dict.fromkeys(self.folder(m) / PART for m in manifests if m.counts.accepted or m.counts.deleted))

    def pii_parts(self, manifests: Iterable[Manifest]) -> list[Path]:
        """The personal data of the batches' rows, joined by `_load_id` and `_row`."""
        having = (m for m in manifests if m.pii and (m.counts.accepted or m.counts.deleted))
        return list(dict.fromkeys(self.folder(m) / PII for m in having))

    def loads(self) -> set[str]:
        return {manifest.load_id for manifest in self}


def compactions(landing: Path) -> Iterator[tuple[Path, Compaction]]:
    """The folders of compacted batches, with what they hold."""
    for path in sorted(landing.glob(f"*/*/{COMPACTED}*/{MANIFEST}")):
        yield path.parent, Compaction.model_validate_json(path.read_bytes())


def remove_uncommitted(landing: Path, quarantine: Path) -> list[Path]:
    """Remove what a killed load or compaction left: folders without manifest, batches that lie in a compacted file by
    now, quarantined rows without a batch.

    Returns the folders removed. Called under the writer's lock only.
    """
    compacted = {
        folder.with_name(f"load={batch.load_id}") for folder, held in compactions(landing) for batch in held.batches
    }

    def is_batch(folder: Path) -> bool:
        return folder not in compacted and (folder / MANIFEST).exists()

    left = [folder for folder in sorted(landing.glob("*/*/load=*")) if not is_batch(folder)]
    for folder in sorted(quarantine.glob("*/*/load=*")):
        batch = landing / folder.relative_to(quarantine)
        if batch not in compacted and not is_batch(batch):
            left.append(folder)
    left += sorted([*landing.glob("*/*/.extract-*"), *landing.glob("*/*/.compact-*")])
    for folder in left:
        shutil.rmtree(folder)
    return left


def append_json_line(path: Path, record: dict[str, object], encode: Callable[[object], object] | None = None) -> None:
    """Append a record to an append-only file; it is with the kernel when this returns (a kill -9 keeps it).

    A tail torn by a full disk is cut off first: glued to it, this record would be unreadable too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(record, default=encode).encode() + b"\n")


def read_json_lines(path: Path) -> list[dict[str, object]]:
    """The records of an append-only file. A last line torn by a crash was never acknowledged: left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
