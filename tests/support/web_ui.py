"""`clientele up` as a user has it: started on a free port, asked through its GraphQL, stopped."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.installation import PROJECT, Installation

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "dagster_project.definitions"}
LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, ask: Callable[[], Any], seconds: float = 120) -> Any:
    """Ask until the answer is neither None nor False."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := ask():
            return answer
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.3)


def descendants(pid: int) -> set[int]:
    """Process ids of everything a process started, and what that started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


class WebUi:
    """Dagster's UI and daemon over an installation."""

    def __init__(self, installation: Installation, log: Path) -> None:
        self.port = free_port()
        self.log = log
        # as a script's shell starts a job in the background: interrupts are ignored
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        with log.open("w") as out:
            self.process = subprocess.Popen(
                installation.command("up", "--port", str(self.port)),
                stdout=out,
                stderr=subprocess.STDOUT,
                env=installation.environment(),
                cwd=PROJECT,
            )
        signal.signal(signal.SIGINT, interrupt)
        wait_for("the web UI", self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return bool(self.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"))
        except (urllib.error.URLError, ConnectionError):
            return False

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        data: dict[str, Any] = found["data"]
        return data

    def launch(self, day: str, config: dict[str, Any] | None = None) -> str:
        """Launch the nightly job for a partition, as its page does; returns the run id."""
        session = {"resources": {"session": {"config": config}}} if config else {}
        params = {
            "selector": REPOSITORY | {"jobName": "nightly_load"},
            "runConfigData": session,
            "mode": "default",
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": day}]},
        }
        answer = self.ask(LAUNCH, params=params)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def run_status(self, run_id: str) -> str:
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        return str(self.ask(query, id=run_id)["runOrError"]["status"])

    def wait_for_end(self, run_id: str) -> str:
        ended = {"SUCCESS", "FAILURE", "CANCELED"}
        wait_for(f"run {run_id}", lambda: self.run_status(run_id) in ended, 240)
        return self.run_status(run_id)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=60)
