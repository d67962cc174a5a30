"""One writer: who holds the lock, and that it is free when its holder is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.errors import LockedError
from dagster_project.warehouse.lock import WriterLock
from tests.support.installation import PROJECT

HOLD = """
import sys, time
from pathlib import Path
from dagster_project.warehouse.lock import WriterLock
WriterLock(Path(sys.argv[1])).acquire(purpose="a test")
print("held", flush=True)
time.sleep(60)
"""
ASK = """
import sys, time
from pathlib import Path
from dagster_project.warehouse.lock import WriterLock
print("asking", flush=True)
end = time.monotonic() + 3
while time.monotonic() < end:
    WriterLock(Path(sys.argv[1])).is_held()
"""


def start(code: str, home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[WriterLock]:
    made = WriterLock(tmp_path)
    yield made
    made.release()


def test_a_second_process_is_refused_and_told_who_holds_the_lock(tmp_path: Path, lock: WriterLock) -> None:
    holder = start(HOLD, tmp_path)
    try:
        assert lock.is_held()
        with pytest.raises(LockedError, match=rf"process {holder.pid} on .*, a test, since 20"):
            lock.acquire()
    finally:
        holder.kill()
        holder.wait()


def test_a_lock_is_free_as_soon_as_its_holder_is_killed(tmp_path: Path, lock: WriterLock) -> None:
    holder = start(HOLD, tmp_path)

    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    assert not lock.is_held()
    assert lock.acquire()


def test_who_waits_gets_the_lock_when_it_is_freed(tmp_path: Path, lock: WriterLock) -> None:
    holder = start(HOLD, tmp_path)
    holder.terminate()

    assert lock.acquire(wait=10)
    holder.wait()


def test_asking_for_the_state_never_turns_a_load_away(tmp_path: Path, lock: WriterLock) -> None:
    lock.acquire()
    lock.release()
    asking = start(ASK, tmp_path)
    taken = 0
    try:
        while asking.poll() is None:
            lock.acquire()
            lock.release()
            taken += 1
            time.sleep(0.005)
    finally:
        asking.kill()
        asking.wait()

    assert taken > 5


def test_the_holder_may_take_it_again_and_a_released_lock_names_nobody(lock: WriterLock) -> None:
    assert lock.acquire()
    assert not lock.acquire()
    lock.release()
    assert not lock.is_held()
    assert lock.holder() == ""
