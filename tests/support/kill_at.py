"""`python -m tests.support.kill_at STAGE load ...`: a real load that gets a real SIGKILL at an exact point.

The command line runs as it is; the function of the stage is wrapped so that the process kills itself there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FEED = "transactions"


def _kill_before(owner: Any, name: str, when: Callable[..., bool] = lambda *_a, **_k: True) -> None:
    _wrap(owner, name, when, after=False)


def _kill_after(owner: Any, name: str, when: Callable[..., bool] = lambda *_a, **_k: True) -> None:
    _wrap(owner, name, when, after=True)


def _wrap(owner: Any, name: str, when: Callable[..., bool], *, after: bool) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        due = when(*args, **kwargs)
        if due and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


def before_the_ledger() -> None:
    """The run exists in Dagster, the load not yet in the ledger."""
    from dagster_project.warehouse.load import Load

    _kill_before(Load, "start")


def during_extract() -> None:
    """Other feeds have landed, the candidates of this one are written."""
    from dagster_project.landing.extraction import Extraction

    _kill_after(Extraction, "_read", lambda self, *_: self.feed.name == FEED)


def in_the_gate() -> None:
    """The batch was handed to the process of the gate, which is judging it."""
    from dagster_project.quality.worker import GateWorker

    def hand_over(self: Any, _of: str, request: dict[str, Any]) -> bool:
        if request.get("feed") != FEED:
            return False
        process = self._running()
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return True

    _kill_before(GateWorker, "_ask", hand_over)


def _is_manifest(path: Any, _text: str) -> bool:
    return path.name == "manifest.json" and path.parent.parent.name == FEED


def between_parquet_and_manifest() -> None:
    from dagster_project.landing import writer

    _kill_before(writer, "write_durably", _is_manifest)


def between_manifest_and_ledger() -> None:
    from dagster_project.landing import writer

    _kill_after(writer, "write_durably", _is_manifest)


def in_dbt() -> None:
    """The sales fact is written into the build, other models run in other threads."""
    from dagster_project import progress

    _kill_before(progress, "tell", lambda kind, text: kind == "node" and "fct_sales_line" in text)


def after_dbt_before_publish() -> None:
    from dagster_project.warehouse.load import Load

    _kill_before(Load, "publish")


def before_the_link_is_switched() -> None:
    """The release's folder is in place; in a rollback, the decision is written."""
    from dagster_project.warehouse.releases import Releases

    _kill_before(Releases, "switch")


def after_the_link_is_switched() -> None:
    from dagster_project.warehouse.releases import Releases

    _kill_after(Releases, "switch")


def while_pruning() -> None:
    """The file of an old release is gone, its folder is not."""
    from dagster_project.warehouse import releases

    def half(folder: Any, *_: Any, **__: Any) -> bool:
        if not (Path(folder) / releases.FILE).exists():
            return False
        (Path(folder) / releases.FILE).unlink()
        return True

    _kill_before(shutil, "rmtree", half)


def before_the_compacted_file_counts() -> None:
    """The month's file is written and proven, its manifest is not."""
    from dagster_project.landing import compaction

    _kill_before(compaction, "write_durably")


def while_compacted_batches_are_removed() -> None:
    """The month's file counts; of the batches in it some folders are gone, others are not."""
    _kill_after(shutil, "rmtree", lambda folder, *_, **__: Path(folder).name.startswith("load="))


if __name__ == "__main__":
    stage = sys.argv.pop(1)
    globals()[stage]()
    from dagster_project.cli import main

    main()
