"""Which questions were asked, for `advise`: names of levels and metrics, never the members of a condition."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.olap.compiler import Statement
from dagster_project.olap.conditions import read_conditions
from dagster_project.olap.dictionary import Dictionary
from dagster_project.olap.query import Query


class QueryLog:
    """JSON lines, a file a month."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def note(
        self, query: Query, statement: Statement, dictionary: Dictionary, *, role: str, rows: int, seconds: float
    ) -> None:
        """Add a question; where nothing can be written (a reader without rights), it is not noted."""
        now = datetime.now(UTC)
        conditions = read_conditions(query.where, dictionary)
        line = {
            "at": now.isoformat(timespec="seconds"),
            "metrics": list(query.metrics),
            "by": [dictionary.level(name).name for name in query.by],
            "filtered": sorted({level.name for item in conditions for level in item.levels}),
            "pinned": sorted({item.pins for item in conditions if item.pins}),
            "role": role,
            "answered_by": statement.answered_by,
            "rows": rows,
            "seconds": round(seconds, 6),
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # one write of less than a page: lines of processes that write at once stay whole
            with (self.folder / f"{now:%Y-%m}.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
        except OSError as error:
            # whoever may only read, or has no disk left, gets the answer all the same
            logging.getLogger(__name__).info("the question was not noted: %s", error)

    def read(self) -> Iterator[dict[str, Any]]:
        """All that was noted, oldest first; a line torn by a full disk is left out."""
        for path in sorted(self.folder.glob("*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):
                    yield json.loads(line)
