"""One writer: an flock on a file in the home. The kernel frees it when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import IO, ClassVar

from dagster_project.errors import LockedError
from dagster_project.warehouse.ledger import now

# A holder needs a moment to write its name, and `is_held` holds the lock itself for microseconds.
GRACE_SECONDS = 1.0


class WriterLock:
    """The home's lock, held by at most one process. Reentrant within the process that holds it."""

    _held: ClassVar[dict[Path, IO[str]]] = {}

    def __init__(self, home: Path) -> None:
        self.path = home / "writer.lock"

    def acquire(self, wait: int = 0, purpose: str = "load") -> bool:
        """Take the lock; True if this call took it, False if this process held it already.

        Args:
            wait: seconds to wait for another process.

        Raises:
            LockedError: another process holds it still; says which, since when and for what.
        """
        if self.path in self._held:
            return False
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="utf-8")
        deadline = time.monotonic() + max(wait, GRACE_SECONDS)
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    file.close()
                    raise LockedError(
                        f"another process is writing: {self.holder() or 'it has not said which'}",
                        remedy="wait for it to end (`clientele status` shows it), or use --wait SECONDS",
                    ) from None
                time.sleep(0.2)
        file.truncate(0)
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": now(), "for": purpose}, file)
        file.flush()
        self._held[self.path] = file
        return True

    def release(self) -> None:
        if file := self._held.pop(self.path, None):
            file.truncate(0)
            file.close()

    def holder(self) -> str:
        """Who holds the lock, in words; empty when nobody does."""
        try:
            text = self.path.read_text(encoding="utf-8")
            told = json.loads(text)
        except (OSError, json.JSONDecodeError):
            return ""
        return f"process {told['pid']} on {told['host']}, {told['for']}, since {told['since'][:19]} UTC"

    def is_held(self) -> bool:
        """Some process (this one included) holds the lock now."""
        if self.path in self._held:
            return True
        if not self.path.exists():
            return False
        with self.path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
