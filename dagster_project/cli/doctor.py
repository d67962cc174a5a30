"""`clientele doctor`: is everything here that a load needs?"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Iterator

import typer

from dagster_project.cli.output import AsJson, console, print_json
from dagster_project.errors import ClienteleError
from dagster_project.landing.manifest import Landing
from dagster_project.landing.postgres.session import Sessions
from dagster_project.landing.source import Kind, read_sources
from dagster_project.settings import Settings, settings
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.releases import Releases

Finding = tuple[str, bool, str]
# A release is about 0.3 GB; a build and the kept ones beside it.
DISK_NEEDED = 2 * 10**9
MEMORY_NEEDED = 4 * 10**9


def doctor(as_json: AsJson = False) -> None:
    """Check versions, disk, memory, rights, sources and the state of the home; exit code 1 if one fails."""
    findings = [{"check": name, "ok": ok, "told": told} for name, ok, told in _findings(settings())]
    if as_json:
        print_json(findings)
    else:
        for item in findings:
            mark = "[green]ok  [/green]" if item["ok"] else "[red]FAIL[/red]"
            console.print(f"{mark} {item['check']}: ", end="")
            console.print(str(item["told"]), markup=False)
    raise typer.Exit(0 if all(item["ok"] for item in findings) else 1)


def _findings(found: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield "python", sys.version_info >= (3, 11), version
    packages = ("duckdb", "dbt-core", "dbt-duckdb", "dagster", "great-expectations")
    yield "packages", True, ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    yield from _machine(found)
    for name in found.enabled_sources:
        try:
            source = read_sources(found.sources_dir, [name])[name]
            if source.kind is Kind.FILES:
                folder = source.folder()
                yield f"source {name}", folder.is_dir(), f"{len(source.feeds)} feeds from {folder}"
            else:
                with Sessions() as sessions:
                    session = sessions.of(source, next(iter(source.feeds.values())))
                    yield f"source {name}", True, f"{len(source.feeds)} feeds from {session.dsn.place}"
        except ClienteleError as error:
            yield f"source {name}", False, str(error)
    yield from _state(found)


def _machine(found: Settings) -> Iterator[Finding]:
    place = next(path for path in (found.home, *found.home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    yield (
        "disk",
        free > DISK_NEEDED,
        f"{free / 1e9:,.1f} GB free at {place}, {DISK_NEEDED / 1e9:.0f} GB wanted",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield "memory", memory > MEMORY_NEEDED, f"{memory / 1e9:,.1f} GB, {MEMORY_NEEDED / 1e9:.0f} GB wanted"
    yield (
        "rights",
        os.access(place, os.W_OK),
        f"{found.home} is {'' if os.access(place, os.W_OK) else 'not '}writable",
    )


def _state(found: Settings) -> Iterator[Finding]:
    releases = Releases(found.releases, found.warehouse)
    lock = WriterLock(found.home)
    yield "lock", True, lock.holder() if lock.is_held() else "free"
    try:
        current = releases.current()
    except ClienteleError as error:
        yield "served", False, str(error)
        return
    yield "served", True, f"release {current.release}" if current else "nothing yet; run: clientele load"
    if current:
        landed = Landing(found.landing).loads()
        lost = sorted(set(current.loads) - landed)
        yield (
            "landing",
            not lost,
            f"lacks loads of the served release: {', '.join(lost)}" if lost else "complete",
        )
    withheld = releases.decisions().withheld
    told = f"{', '.join(withheld)} (load --resume | --skip)" if withheld else "no load withheld"
    yield "withheld", not withheld, told
