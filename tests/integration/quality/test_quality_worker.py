"""The gate in a process of its own: same verdicts, clear ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.quality.results import GateResult
from dagster_project.quality.worker import GateWorker
from tests.integration.quality.quality_gate_kit import Gate, meet, not_null


@pytest.fixture(scope="module")
def worker() -> Iterator[GateWorker]:
    worker = GateWorker()
    worker.start()
    yield worker
    if worker._process:
        assert worker._process.stdin is not None
        worker._process.stdin.close()
        assert worker._process.wait(10) == 0, "it does not end with its input"


def ask(worker: GateWorker, gate: Gate) -> GateResult:
    return worker.check(
        gate.batch, gate.suite, source="shop", feed="orders", violations=gate.violations, docs_dir=gate.docs
    )


def test_it_says_what_the_gate_says(worker: GateWorker, gate: Gate) -> None:
    gate.land("SELECT unnest([1, NULL, 3]) AS order_id")
    gate.rules(not_null("order_id"), meet("small", "order_id < 3", "warning"))

    answered = ask(worker, gate)

    assert answered.checks == gate.check().checks
    assert answered.quarantined_rows == 1
    assert [row for row, *_ in gate.set_aside()] == [2]


def test_a_mistake_in_a_suite_is_the_same_error(worker: GateWorker, gate: Gate) -> None:
    gate.land("SELECT 1 AS order_id")
    gate.rules(not_null("order_no"))

    with pytest.raises(ConfigurationError, match="names column 'order_no'") as raised:
        ask(worker, gate)

    assert raised.value.remedy.startswith("use one of: order_id")


def test_a_process_that_dies_is_an_error_and_the_next_batch_gets_a_new_one(gate: Gate) -> None:
    worker = GateWorker()
    worker.start()
    assert worker._process is not None
    gate.land("SELECT 1 AS order_id")
    gate.rules(not_null("order_id"))
    assert ask(worker, gate).passed
    running = worker._running

    def killed_meanwhile() -> object:
        worker._running = running  # type: ignore[method-assign]
        process = running()
        process.kill()
        process.wait()
        return process

    worker._running = killed_meanwhile  # type: ignore[assignment, method-assign]
    with pytest.raises(ClienteleError, match=r"shop\.orders: the process of the gate ended with code -9"):
        ask(worker, gate)

    assert ask(worker, gate).passed
    worker._running().kill()
