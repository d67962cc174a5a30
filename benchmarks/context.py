"""What every part of the benchmarks is given, and how a part reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Context:
    """Where to work, with what, and how much.

    Attributes:
        work: folder for homes and data, on the disk that is measured.
        data: folder of the Complete Journey files.
        floor: folder of floor.py; None skips the comparison with it.
        repeat: how often each measured thing is run.
        sizes: histories, in copies of the year; each part has its own if none are given.
        nights: how many nights were loaded before the measured ones.
    """

    work: Path
    data: Path
    floor: Path | None
    repeat: int
    sizes: tuple[int, ...] = ()
    nights: tuple[int, ...] = (30, 365, 1500)


@dataclass(frozen=True)
class Bound:
    """A promise with a figure: `value` must not exceed `bound`; `goal` is what is aimed at."""

    name: str
    value: float
    bound: float
    goal: float | None = None
    unit: str = ""

    @property
    def held(self) -> bool:
        return self.value <= self.bound

    def as_record(self) -> dict[str, Any]:
        return asdict(self) | {"held": self.held}


@dataclass
class Part:
    """What one part found: promises, tables for the report, remarks."""

    title: str
    bounds: list[Bound] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    skipped: str = ""

    def table(self, caption: str, rows: list[dict[str, Any]]) -> None:
        self.tables.append({"caption": caption, "rows": rows})

    def as_record(self) -> dict[str, Any]:
        return asdict(self) | {"bounds": [bound.as_record() for bound in self.bounds]}
