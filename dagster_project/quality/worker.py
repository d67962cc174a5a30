"""The gate in a process of its own.

Great Expectations takes 2.5 s of one core to import. In its own process it does so while the load starts Dagster on
the other core. The process lives as long as its standard input is open, so it ends with the load, however that ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.quality.results import CheckResult, GateResult, Severity
from dagster_project.quality.table import Table

ERRORS = {kind.__name__: kind for kind in (ClienteleError, ConfigurationError)}
PR_SET_PDEATHSIG = 1


class GateWorker:
    """Asks a gate process, one question at a time. Use `gate_worker()`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process if it does not run; it gets ready while the caller goes on."""
        with self._lock:
            self._running()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self._process

    def check(
        self, batch: Path, suite: Path, *, source: str, feed: str, violations: Path, docs_dir: Path
    ) -> GateResult:
        """`gate.check_batch` in the gate process.

        Raises:
            ClienteleError: what `check_batch` raises, or the process died.
        """
        paths = {"batch": batch, "suite": suite, "violations": violations, "docs_dir": docs_dir}
        answer = self._answer(
            f"{source}.{feed}", {"source": source, "feed": feed} | {k: str(path) for k, path in paths.items()}
        )
        return GateResult(tuple(_checks(answer)), answer["quarantined_rows"], answer["seconds"])

    def check_tables(self, file: Path, tables: list[Table], *, load: str, docs_dir: Path) -> list[CheckResult]:
        """`tables.check_tables` in the gate process.

        Raises:
            ClienteleError: what `check_tables` raises, or the process died.
        """
        listed = [asdict(table) | {"suite": str(table.suite)} for table in tables]
        request = {"file": str(file), "tables": listed, "load": load, "docs_dir": str(docs_dir)}
        return list(_checks(self._answer("built tables", request)))

    def _answer(self, of: str, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            answer = self._ask(of, request)
        if told := answer.get("defect"):
            raise RuntimeError(told)
        if kind := answer.get("error"):
            raise ERRORS[kind](answer["message"], remedy=answer["remedy"])
        return answer

    def _ask(self, of: str, request: dict[str, Any]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # then it gives no answer either
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise ClienteleError(
                f"{of}: the process of the gate ended with code {process.wait()}",
                remedy="see what it printed above; if it was killed for want of memory, lower CLIENTELE_MEMORY_LIMIT",
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


@cache
def gate_worker() -> GateWorker:
    """This process's worker."""
    return GateWorker()


def _checks(answer: dict[str, Any]) -> Iterator[CheckResult]:
    return (CheckResult(**check | {"severity": Severity(check["severity"])}) for check in answer["checks"])


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    """What the gate says of one batch, or of the tables of a build, as JSON can hold it; errors too."""
    try:
        return _tables_judged(request) if "tables" in request else _batch_judged(request)
    except ClienteleError as error:
        return {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
    except Exception:  # noqa: BLE001 - a defect is told by the load, with its traceback
        return {"defect": traceback.format_exc()}


def _batch_judged(request: dict[str, Any]) -> dict[str, Any]:
    from dagster_project.quality.gate import check_batch

    return asdict(
        check_batch(
            Path(request["batch"]),
            Path(request["suite"]),
            source=request["source"],
            feed=request["feed"],
            violations=Path(request["violations"]),
            docs_dir=Path(request["docs_dir"]),
        )
    )


def _tables_judged(request: dict[str, Any]) -> dict[str, Any]:
    from dagster_project.quality.tables import check_tables

    listed = [Table(table["schema"], table["name"], Path(table["suite"])) for table in request["tables"]]
    checks = check_tables(Path(request["file"]), listed, load=request["load"], docs_dir=Path(request["docs_dir"]))
    return {"checks": [asdict(check) for check in checks]}


def main() -> None:
    """Answer the requests on standard input until it is closed."""
    if sys.platform == "linux":
        # a killed load does not wait until the batch at hand is judged
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the load, which closes our input
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    from dagster_project.quality.engine import warm_up

    warm_up()
    for line in sys.stdin:
        answers.write(json.dumps(answer_to(json.loads(line))) + "\n")
        answers.flush()
    os._exit(0)  # taking the interpreter down costs time and prints DuckDB's leak notices


if __name__ == "__main__":
    main()
