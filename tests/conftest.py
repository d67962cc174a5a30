"""Fixtures every test may use: real data in slices, installations of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.postgres import Server, Unavailable
from tests.support.real_data import write_slice


@pytest.fixture(scope="session")
def slice_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slice of the real data; do not edit it, take an installation."""
    return write_slice(tmp_path_factory.mktemp("slice") / "data")


@pytest.fixture
def install(tmp_path: Path, slice_dir: Path) -> Callable[[str], Installation]:
    """Makes installations with their own copy of the slice."""
    import shutil

    def make(name: str = "one") -> Installation:
        data = tmp_path / f"{name}-data"
        shutil.copytree(slice_dir, data)
        return Installation(tmp_path / name, data)

    return make


@pytest.fixture
def installation(install: Callable[[str], Installation]) -> Installation:
    return install("home")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL server; where none is installed the test is skipped."""
    try:
        server = Server()
    except Unavailable as error:
        pytest.skip(str(error))
    yield server
    server.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spark's file first: it takes longest, and the others run beside it."""
    items.sort(key=lambda item: item.path.name != "test_spark.py")
