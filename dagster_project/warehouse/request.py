"""What a load was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Request:
    """What was asked of a load.

    Attributes:
        load_date: the last day taken; feeds cover everything up to its end.
        rebuild: build every table anew from landing.
        as_of: rebuild the state of knowledge after that load beside the releases; lands nothing.
        resume: apply withheld loads again. skip: leave these loads out for good.
    """

    load_date: date
    rebuild: bool = False
    as_of: str | None = None
    lookback_days: int | None = None
    accept_deletes: frozenset[str] = frozenset()
    resume: bool = False
    skip: tuple[str, ...] = ()
    wait: int = 0
