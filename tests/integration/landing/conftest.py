"""Fixtures of the landing tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from landing_kit import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Shop]:
    """Makes a source with the given feeds."""

    def make(zone: str = "America/New_York", **feeds: dict[str, Any]) -> Shop:
        return Shop(tmp_path / "shop", zone, **feeds)

    return make
