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
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.quality.results import CheckResult, GateResult, Severity

ERRORS = {kind.__name__: kind for kind in (ClienteleError, ConfigurationError)}
PR_SET_PDEATHSIG = 1


class GateWorker:
    """Asks a gate process, one batch at a time. Use `gate_worker()`."""

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
        request = {"batch": batch, "suite": suite, "violations": violations, "docs_dir": docs_dir}
        with self._lock:
            answer = self._ask({"source": source, "feed": feed} | {k: str(path) for k, path in request.items()})
        if told := answer.get("defect"):
            raise RuntimeError(told)
        if kind := answer.get("error"):
            raise ERRORS[kind](answer["message"], remedy=answer["remedy"])
        checks = (CheckResult(**check | {"severity": Severity(check["severity"])}) for check in answer["checks"])
        return GateResult(tuple(checks), answer["quarantined_rows"], answer["seconds"])

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # then it gives no answer either
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise ClienteleError(
                f"{request['source']}.{request['feed']}: the process of the gate ended with code {process.wait()}",
                remedy="see what it printed above; if it was killed for want of memory, lower CLIENTELE_MEMORY_LIMIT",
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


@cache
def gate_worker() -> GateWorker:
    """This process's worker."""
    return GateWorker()


def answer_to(request: dict[str, str]) -> dict[str, Any]:
    """What the gate says of one batch, as JSON can hold it; errors too."""
    from dagster_project.quality.gate import check_batch

    try:
        result = check_batch(
            Path(request["batch"]),
            Path(request["suite"]),
            source=request["source"],
            feed=request["feed"],
            violations=Path(request["violations"]),
            docs_dir=Path(request["docs_dir"]),
        )
    except ClienteleError as error:
        return {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
    except Exception:  # noqa: BLE001 - a defect is told by the load, with its traceback
        return {"defect": traceback.format_exc()}
    return asdict(result)


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
