"""Releases: a folder a load, one link that says which is served.

A reader that has the old file open keeps it; the link is switched by rename, so a new reader gets one
release or the other, whole. After a rollback the later loads are withheld until the operator decides.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import ClienteleError, LoadError
from dagster_project.landing import sql
from dagster_project.landing.manifest import sync_folder, write_durably
from dagster_project.settings import Settings

FILE = "warehouse.duckdb"
PII_FILE = "pii.duckdb"
ABOUT = "release.json"
DUCKDB, SPARK = "duckdb", "spark"


@dataclass(frozen=True)
class Release:
    """What a release is made of.

    Attributes:
        release: its id, the id of the load that published it.
        loads: the loads whose batches are in it.
        fingerprints: per table, a hash of what it is made by; a change rebuilds the table.
        project: a hash of the dbt project's files, to see quickly that nothing changed.
        tables: rows per table at publishing.
        pii_tables: rows per table of pii.duckdb, which is there if a source has personal data.
        files: per table the Parquet files it is read from, on Spark.
        columns: per table its columns as they are declared there, on Spark.
        fit: the artefact of fitted models that customers' worth was read from; empty: none was there.
        sums: queries and what they yielded, verified when the file is reopened.
    """

    release: str
    load_date: date
    published_at: str
    loads: tuple[str, ...]
    fingerprints: dict[str, str]
    project: str
    tables: dict[str, int]
    sums: dict[str, str] = field(default_factory=dict)
    file_bytes: int = 0
    pii_tables: dict[str, int] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    fit: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"load_date": self.load_date.isoformat()}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Release:
        raw: dict[str, Any] = json.loads(text)
        raw["load_date"] = date.fromisoformat(raw["load_date"])
        raw["loads"] = tuple(raw["loads"])
        return cls(**raw)


@dataclass
class Withheld:
    """Loads kept out: withheld until decided, skipped for good (-> the load that read their rows again)."""

    withheld: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


class Releases:
    """The releases of one home and the link to the served one."""

    def __init__(self, root: Path, link: Path, file: str = FILE) -> None:
        self.root = root
        self.link = link
        self.file = file

    def folder(self, release: str) -> Path:
        return self.root / release

    def all(self) -> list[Release]:
        """All releases, oldest first."""
        found = sorted(self.root.glob(f"*/{ABOUT}"))
        return [Release.from_json(path.read_text(encoding="utf-8")) for path in found]

    def current(self) -> Release | None:
        """The release the link points to.

        Raises:
            LoadError: the link is there but leads nowhere, or is no link.
        """
        if not self.link.is_symlink():
            if self.link.exists():
                raise LoadError(
                    f"{self.link} is a file, not the link to a release",
                    remedy="move it away; a load never writes the published path itself",
                )
            return None
        about = self.link.resolve().parent / ABOUT
        if not about.exists():
            raise LoadError(
                f"{self.link} leads to {self.link.resolve()}, where there is no release",
                remedy="choose one of `clientele release list` with: clientele release rollback RELEASE",
            )
        return Release.from_json(about.read_text(encoding="utf-8"))

    def remove_unpublished(self) -> list[Path]:
        """Remove releases a killed load moved into place but never switched to, or had begun to prune."""
        current = self.current()
        kept = self.decisions().withheld
        removed = []
        for folder in sorted(self.root.glob("*/")):
            newer = current is None or folder.name > current.release
            if (newer and folder.name not in kept) or not (folder / ABOUT).exists():
                shutil.rmtree(folder)
                removed.append(folder)
        return removed

    def publish(self, build: Path, release: Release) -> Path:
        """Verify the build, move it into place and switch the link.

        Args:
            build: folder with the checkpointed, closed warehouse.duckdb.

        Raises:
            LoadError: the reopened file is not what was built; the served release stays.
        """
        file = build / FILE
        verify(file, release)
        with contextlib.suppress(FileNotFoundError), (build / PII_FILE).open("rb") as handle:
            os.fsync(handle.fileno())
        write_durably(build / ABOUT, release.to_json())
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
        self.root.mkdir(parents=True, exist_ok=True)
        build.chmod(self.root.stat().st_mode & 0o777)  # a build is closed to others, a release is not
        target = self.folder(release.release)
        build.rename(target)
        sync_folder(self.root)
        self.switch(release.release)
        return target / FILE

    def switch(self, release: str) -> None:
        """Point the link to a release, by rename."""
        target = self.folder(release) / self.file
        if not target.exists():
            raise ClienteleError(f"there is no release {release}", remedy="choose one of `clientele release list`")
        beside = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(os.path.relpath(target, self.link.parent))
        beside.replace(self.link)
        sync_folder(self.link.parent)

    def decisions(self) -> Withheld:
        path = self.root / "withheld.json"
        return Withheld(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Withheld()

    def decide(self, decisions: Withheld) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        write_durably(self.root / "withheld.json", json.dumps(asdict(decisions), indent=1))

    def rollback(self, to: str | None) -> tuple[Release, list[str]]:
        """Serve an earlier release again and withhold the loads that came after it.

        Returns the release and the loads now withheld.
        """
        current, known = self.current(), self.all()
        if current is None:
            raise ClienteleError("nothing was published yet", remedy="run: clientele load")
        earlier = [release for release in known if release.release < current.release]
        chosen = earlier[-1:] if to is None else [r for r in known if r.release == to]
        if not chosen:
            raise ClienteleError(
                f"there is no release {to}" if to else "there is no earlier release to go back to",
                remedy="choose one of `clientele release list`",
            )
        release = chosen[0]
        # a later release that brought no rows is withheld too: undoing it may be what was wanted
        later = {item.release for item in known if release.release < item.release <= current.release}
        later |= set(current.loads) - set(release.loads)
        decisions = self.decisions()
        kept = set(release.loads) | {item.release for item in known if item.release <= release.release}
        withheld = sorted((set(decisions.withheld) | later) - kept)
        # the decision first: a crash between the two leaves loads withheld, never applied unasked
        self.decide(Withheld(withheld, decisions.skipped))
        self.switch(release.release)
        return release, withheld

    def prune(self, keep: int) -> list[str]:
        """Remove all but the last `keep` releases; the served one always stays."""
        current = self.current()
        known = [release.release for release in self.all()]
        goes = [name for name in known[:-keep] if current is None or name != current.release]
        for name in goes:
            (self.folder(name) / ABOUT).unlink()  # no release any more, however far the removal gets
            shutil.rmtree(self.folder(name))
        return goes


def releases_of(settings: Settings, engine: str = DUCKDB) -> Releases:
    """The releases of a home on one engine."""
    if engine == SPARK:
        return Releases(settings.spark / "releases", settings.spark / "current", file=ABOUT)
    return Releases(settings.releases, settings.warehouse)


def verify(file: Path, release: Release) -> None:
    """Reopen a build read-only and compare rows and sums with what was recorded when it was written."""
    if file.with_name(file.name + ".wal").exists():
        raise LoadError(f"{file.name}.wal lies beside the build: it was not closed", remedy="run the load again")
    with duckdb.connect(str(file), read_only=True, config=sql.CONFIG) as con:
        for table, rows in release.tables.items():
            found = sql.scalar(con, f"select count(*) from {table}")
            if found != rows:
                raise LoadError(
                    f"{table} has {found:,} rows in the reopened build, {rows:,} were written",
                    remedy="check the disk (`clientele doctor`) and run the load again",
                )
        for query, expected in release.sums.items():
            value = Decimal(str(con.execute(query).fetchall()[0][0] or 0))
            if value != Decimal(expected):
                raise LoadError(
                    f"the reopened build says {value}, {expected} was written, for: {query}",
                    remedy="check the disk (`clientele doctor`) and run the load again",
                )


def private_file(path: Path) -> None:
    """An empty file that only its owner can read, to be written to."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def copy_file(source: Path, target: Path) -> None:
    """Copy by reflink where the file system has it (instant), else byte by byte (0.6 s for 737 MB)."""
    ficlone = 0x40049409
    with source.open("rb") as read, target.open("wb") as write, contextlib.suppress(OSError):
        fcntl.ioctl(write.fileno(), ficlone, read.fileno())
        return
    shutil.copyfile(source, target)
