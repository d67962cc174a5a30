"""A newcomer's way: clone, `make load`, `make up`. Clones what is committed, not the working tree."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def clean_environment(data: Path) -> dict[str, str]:
    """The environment of a user who has set nothing but where the data is."""
    own = ("CLIENTELE_", "DAGSTER_", "DBT_", "VIRTUAL_ENV", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return kept | {"COMPLETE_JOURNEY_DIR": str(data)}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, slice_dir: Path) -> Path:
    """A clone in which `make load` was run."""
    if not (PROJECT / ".git").exists():
        pytest.skip("the project is not a git checkout: there is nothing to clone")
    folder = tmp_path_factory.mktemp("fresh") / "clientele"
    subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(folder)], check=True, capture_output=True)
    done = subprocess.run(
        ["make", "load"],
        cwd=folder,
        env=clean_environment(slice_dir),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Published" in done.stdout
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_make_load_in_a_fresh_clone_serves_a_warehouse_at_its_top(clone: Path) -> None:
    assert (clone / "warehouse.duckdb").is_symlink()
    assert (clone / "warehouse.duckdb").resolve().is_relative_to(clone / "data" / "releases")
    program = (
        "import duckdb; con = duckdb.connect('warehouse.duckdb', read_only=True);"
        "print(con.execute('select count(*) from star.fct_sales_line').fetchone()[0])"
    )
    reader = subprocess.run(
        [str(clone / ".venv" / "bin" / "python"), "-c", program],
        cwd=clone,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(reader.stdout) > 10_000


def test_make_load_leaves_nothing_for_git_to_see(clone: Path) -> None:
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == ""


def test_make_up_in_a_fresh_clone_answers_and_stops(clone: Path, slice_dir: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        ["make", "up"],
        cwd=clone,
        env=clean_environment(slice_dir) | {"CLIENTELE_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert answers(f"http://127.0.0.1:{port}/server_info", within=120)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches the whole group
        process.wait(timeout=60)


def answers(url: str, within: float) -> bool:
    """The address answers with 200 before the time is over."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    return False
