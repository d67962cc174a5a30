"""Runs of killed loads: their process is gone, so somebody else has to close them."""

from __future__ import annotations

import dagster as dg

from dagster_project.errors import LockedError
from dagster_project.settings import settings
from dagster_project.warehouse.ledger import Ledger
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.recovery import KILLED

STARTED_BY = "clientele/started_by"
COMMAND_LINE = "command line"


def close_runs_of_killed_loads(instance: dg.DagsterInstance, ledger: Ledger, own_run: str = "") -> list[str]:
    """Report runs as failed whose process is dead; returns their ids. Called under the writer's lock only.

    The command line holds the lock for as long as its run lasts, any other run for as long as the ledger says
    that its load is running. Whoever holds the lock therefore knows that those are dead.
    """
    statuses = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    closed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=statuses)):
        if run.run_id == own_run:
            continue
        load = next((load for load in reversed(ledger.loads()) if ledger.load(load).get("run_id") == run.run_id), None)
        record = ledger.load(load) if load else {}
        broke_off = load is not None and (not record.get("finished_at") or record.get("message") == KILLED)
        if broke_off or run.tags.get(STARTED_BY) == COMMAND_LINE:
            instance.report_run_failed(run, message=f"the process of load {load or '(not begun)'} was killed")
            closed.append(run.run_id)
    return closed


@dg.sensor(
    name="killed_loads",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Closes the runs of killed loads, which would otherwise keep the next run in the queue for ever.",
)
def killed_loads(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    lock = WriterLock(settings().home)
    try:
        lock.acquire(purpose="closing runs of killed loads")
    except LockedError as error:
        return dg.SkipReason(error.message)
    try:
        closed = close_runs_of_killed_loads(context.instance, Ledger(settings().ledger))
    finally:
        lock.release()
    return dg.SkipReason(f"closed {', '.join(closed)}" if closed else "every run that is open has its process")
