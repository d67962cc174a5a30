"""Writing the draft of a source: what is there is never written over, and what is written can be read."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from dagster_project.contract.contract import Contract
from dagster_project.errors import ConfigurationError
from dagster_project.landing import sql
from dagster_project.landing.postgres.session import Sessions
from dagster_project.landing.source import NAME, read_source
from dagster_project.profiling import source_file, staging, suites
from dagster_project.profiling.database import find_tables, open_table
from dagster_project.profiling.discover import find_feeds, left_out
from dagster_project.profiling.draft import FeedDraft, draft_feed
from dagster_project.profiling.profile import FeedProfile, describe, profile


@dataclass(frozen=True)
class Project:
    """Where a source's files go."""

    sources: Path
    expectations: Path
    dbt: Path

    def folders(self, name: str) -> tuple[Path, Path, Path]:
        """Of source.yml, of the suites and of the staging models."""
        return (
            self.sources / name,
            self.expectations / "landing" / name,
            self.dbt / "models" / "staging" / name,
        )


@dataclass(frozen=True)
class Draft:
    """What was written.

    Attributes:
        left_out: files found that are of no known format.
    """

    name: str
    feeds: tuple[FeedDraft, ...]
    files: tuple[Path, ...]
    left_out: tuple[str, ...]

    @property
    def is_database(self) -> bool:
        return any(feed.profile.found.table for feed in self.feeds)


def write_draft(
    name: str,
    place: Path | None,
    project: Project,
    contract: Contract,
    *,
    timezone: str = "UTC",
    fills: dict[str, str] | None = None,
) -> Draft:
    """Profile what lies in a place and write the draft of a source.

    Args:
        place: folder or file; None for the PostgreSQL database whose connection string the source's variable holds.
        fills: feed -> canonical feed, where the user knows better than its name.

    Raises:
        ConfigurationError: the name can't be used or is taken, nothing readable is there, or `fills` names what
            does not exist.
        FeedError: a feed can't be read.
    """
    _check_name(name, project)
    fills = fills or {}
    if unknown := sorted(set(fills.values()) - set(contract.feeds)):
        raise ConfigurationError(
            f"--fills names {', '.join(unknown)}, which is no canonical feed",
            remedy="see docs/feeds.md for their names",
        )
    folder, profiles = _profile_database(name) if place is None else _profile_files(place.expanduser().absolute())
    if unknown := sorted(set(fills) - {profile.found.name for profile in profiles}):
        found = ", ".join(profile.found.name for profile in profiles)
        raise ConfigurationError(
            f"--fills names {', '.join(unknown)}, but the feeds found are {found}",
            remedy="write FEED=CANONICAL with a feed's name as found",
        )
    drafts = [
        draft_feed(one, contract, fills.get(one.found.name), [other for other in profiles if other is not one])
        for one in profiles
    ]
    at_source, at_suites, at_staging = project.folders(name)
    texts = {
        at_source / "source.yml": source_file.source_file(name, folder, timezone, drafts),
        at_source / "README.md": source_file.readme(name, drafts),
        **{at_suites / f"{draft.name}.json": suites.suite(name, draft) for draft in drafts},
        **{at_staging / file: text for file, text in staging.models(name, timezone, drafts).items()},
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    read_source(at_source / "source.yml")
    return Draft(name, tuple(drafts), tuple(texts), tuple(left_out(place) if place else ()))


def _profile_files(place: Path) -> tuple[Path, list[FeedProfile]]:
    folder, found = find_feeds(place)
    with tempfile.TemporaryDirectory() as spill, sql.scratch(Path(spill), "1GB", 2) as con:
        return folder, [profile(con, feed, folder) for feed in found]


def _profile_database(name: str) -> tuple[None, list[FeedProfile]]:
    profiles = []
    with Sessions() as sessions:
        for found in find_tables(name, sessions):
            # one table at a time lies on the disk
            with tempfile.TemporaryDirectory() as work, sql.scratch(Path(work), "1GB", 2) as con:
                profiles.append(describe(con, found, open_table(con, name, found, sessions, Path(work))))
    return None, profiles


def _check_name(name: str, project: Project) -> None:
    if not NAME.match(name) or "__" in name:
        raise ConfigurationError(
            f"{name!r} can't be the name of a source",
            remedy="take lower-case letters, digits and single underscores, such as web_shop",
        )
    if taken := [folder for folder in project.folders(name) if folder.exists()]:
        raise ConfigurationError(
            f"source {name} has files already: {', '.join(map(str, taken))}",
            remedy="take another name, or move them away; nothing was written",
        )
