"""Bringing a system in works as sources/README.md tells it: its own text is run in a copy of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.documents import PROJECT, Document

pytestmark = pytest.mark.long

README = Document("sources/README.md")
SECTION = README.text.split("## Bring a system in within an hour", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
FILE = re.compile(r"^`(export/[\w.-]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Copy:
    """A copy of the project in git, and a shell in it as a user has one."""

    folder: Path

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLIENTELE_", "DAGSTER_", "DBT_"))}
        own = {
            "HOME": str(self.folder.parent),
            "PATH": f"{self.folder.parent}/bin:{os.environ['PATH']}",
            "COLUMNS": "200",
        }
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env=kept | own,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def changed(self) -> list[str]:
        done = self.shell("git status --porcelain --untracked-files=all")
        return [line[3:] for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    top = tmp_path_factory.mktemp("new_source")
    copied = Copy(top / "project")
    copied.folder.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=PROJECT, capture_output=True, check=True
    ).stdout.decode()
    kept = [name for name in listed.splitlines() if (PROJECT / name).is_file()]
    subprocess.run(["tar", "cf", str(top / "project.tar"), *kept], cwd=PROJECT, check=True)
    subprocess.run(["tar", "xf", str(top / "project.tar")], cwd=copied.folder, check=True)
    (top / "bin").mkdir()
    program = top / "bin" / "clientele"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dagster_project "$@"\n')
    program.chmod(0o755)
    done = copied.shell("git init -q && git add -A && git -c user.name=t -c user.email=t@localhost commit -qm all")
    assert done.returncode == 0, done.stderr
    return copied


def decide(copy: Copy) -> None:
    """Carry out the table of decisions."""
    rows = re.findall(r"^\| ([\w.]+) \| `(.*?)` \| `(.*?)` \|$", SECTION, re.MULTILINE)
    assert len(rows) >= 2
    for name, drafted, decided in rows:
        (path,) = copy.folder.glob(f"**/shop/{name}")
        text = path.read_text(encoding="utf-8")
        assert text.count(drafted) == 1, f"{name} does not say {drafted} once:\n{text}"
        path.write_text(text.replace(drafted, decided), encoding="utf-8")


def test_the_shop_of_the_readme_is_brought_in_as_it_says(copy: Copy) -> None:
    files = FILE.findall(SECTION)
    assert len(files) == 4
    for name, text in files:
        (copy.folder / name).parent.mkdir(exist_ok=True)
        (copy.folder / name).write_text(text, encoding="utf-8")
    draft, check_and_load, ask = re.findall(r"^```sh\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    settings = draft.splitlines()[0] + "\n"

    drafted = copy.shell(draft)
    assert drafted.returncode == 0, drafted.stdout + drafted.stderr
    decide(copy)
    loaded = copy.shell(settings + check_and_load)
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    answered = copy.shell(settings + ask)
    (shown,) = re.findall(r"^```text\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    assert answered.stdout.splitlines() == shown.splitlines()

    changed = {name for name in copy.changed() if not name.startswith("export/")}
    places = ("sources/shop/", "expectations/landing/shop/", "dbt/models/staging/shop/")
    assert changed
    assert not {name for name in changed if not name.startswith(places)}, "a new source is its three folders, no more"


def test_drafting_a_source_twice_changes_nothing(copy: Copy) -> None:
    before = copy.changed()
    again = copy.shell("clientele source new shop --from export")
    assert (again.returncode, copy.changed()) == (1, before)
    assert "source shop has files already" in again.stderr
