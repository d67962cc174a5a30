"""What a load says while it runs. Silent unless a command line listens."""

from __future__ import annotations

from collections.abc import Callable

# (kind, text): kind is 'stage', 'feed', 'node' or 'note'
Listener = Callable[[str, str], None]

_listener: Listener | None = None


def listen(listener: Listener | None) -> None:
    """Send progress of loads in this process to a listener; None makes it silent."""
    global _listener  # noqa: PLW0603 - one process runs one load at a time, under one lock
    _listener = listener


def tell(kind: str, text: str) -> None:
    if _listener:
        _listener(kind, text)
