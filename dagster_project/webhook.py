"""Word to another program: JSON posted to an address of the settings."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping

SECONDS = 10


def post(url: str, message: Mapping[str, str]) -> None:
    """POST a message.

    Raises:
        ValueError: it is no http(s) address. OSError: nobody hears.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no http(s) address")
    body = json.dumps(message).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked above
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        answer.read()
