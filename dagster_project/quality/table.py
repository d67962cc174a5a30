"""A built table and the suite it is judged by."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """A table in a schema of a build, and its suite's file."""

    schema: str
    name: str
    suite: Path

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"
