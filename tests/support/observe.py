"""Looks at an installation from outside: what is served, who holds it, what Dagster knows. Uses no project code."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.support.installation import PROJECT, Finished, Installation


def served(installation: Installation) -> tuple[str, str]:
    """The file the link leads to and the hash of its bytes."""
    file = installation.warehouse.resolve(strict=True)
    return str(file), hashlib.sha256(file.read_bytes()).hexdigest()


def is_locked(installation: Installation) -> bool:
    """Some process holds the writer's lock."""
    with (installation.home / "writer.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def processes_with_open_files(installation: Installation) -> list[str]:
    """Command lines of other processes that have a file of the home open."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            targets = [str(handle.readlink()) for handle in (process / "fd").iterdir()]
            command = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if any(target.startswith(f"{installation.home}/") for target in targets):
            found.append(command)
    return found


def half_batches(installation: Installation) -> list[Path]:
    """What a killed extract leaves: folders without manifest, working folders."""
    landing = installation.home / "landing"
    halves = [folder for folder in landing.glob("*/*/load=*") if not (folder / "manifest.json").exists()]
    return halves + list(landing.glob("*/*/.extract-*"))


def landed_loads(installation: Installation) -> list[str]:
    """Load ids with at least one committed batch, oldest first."""
    manifests = (installation.home / "landing").glob("*/*/load=*/manifest.json")
    return sorted({path.parent.name.removeprefix("load=") for path in manifests})


def release_folders(installation: Installation) -> list[str]:
    return sorted(path.name for path in (installation.home / "releases").glob("*/"))


def runs(installation: Installation) -> dict[str, str]:
    """Dagster's runs, oldest first: run id -> status."""
    with closing(sqlite3.connect(installation.home / "dagster" / "history" / "runs.db")) as db:
        return dict(db.execute("select run_id, status from runs order by id").fetchall())


def ledger(installation: Installation, table: str) -> list[dict[str, object]]:
    """Every record of a ledger table, oldest first."""
    files = sorted((installation.home / "ledger").glob("*.jsonl"))
    records = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [record for record in records if record["table"] == table]


def _run(module: str, stage: str, installation: Installation, args: tuple[str, ...]) -> Finished:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.support.{module}", stage, *args],
        capture_output=True,
        text=True,
        env=installation.environment(),
        cwd=PROJECT,
        timeout=300,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def kill_at(stage: str, installation: Installation, *args: str) -> None:
    """Run `clientele ARGS` so that it gets SIGKILL at a stage of tests/support/kill_at.py."""
    done = _run("kill_at", stage, installation, args)
    assert done.code == -9, f"not killed at {stage}: exit {done.code}\n{done.text}"


def disturb(how: str, installation: Installation, *args: str) -> Finished:
    """Run `clientele ARGS` disturbed in a way of tests/support/disturb.py."""
    return _run("disturb", how, installation, args)
