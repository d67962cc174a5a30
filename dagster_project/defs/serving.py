"""What follows a publish: the PostgreSQL store, word to whoever keeps extracts, and the report."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project import progress
from dagster_project.defs.partitions import load_dates
from dagster_project.defs.session import LoadSession
from dagster_project.defs.warehouse import RELEASE
from dagster_project.errors import ClienteleError
from dagster_project.serving.follow import announce, follow
from dagster_project.serving.report.page import write_report
from dagster_project.settings import settings
from dagster_project.warehouse.store import DuckStore


@dg.asset(
    key=["postgres_store"],
    group_name="release",
    deps=[RELEASE],
    description="The store of CLIENTELE_PG_DSN, brought to the served release; where it is down it lags.",
    kinds={"postgres"},
    output_required=False,  # there may be no store
    partitions_def=load_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def postgres_store(session: LoadSession) -> Iterator[Any]:
    load = session.load
    if not isinstance(load.store, DuckStore) or load.request.as_of:
        return
    if load.release is not None:
        announce(settings(), load.release, lambda line: progress.tell("note", line))
    with load.stage("PostgreSQL store"):
        done = follow(settings(), lambda line: progress.tell("note", line))
    if done is not None:
        yield dg.MaterializeResult(metadata={"release": done.release, "rows_sent": done.rows_sent})


@dg.asset(
    key=["report"],
    group_name="release",
    deps=[RELEASE],
    description="The night on one page: report.html of the home.",
    kinds={"html"},
    output_required=False,  # Spark's releases have none
    partitions_def=load_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def report(session: LoadSession) -> Iterator[Any]:
    load = session.load
    if load.release is None or not isinstance(load.store, DuckStore) or load.request.as_of:
        return
    with load.stage("report"):
        try:
            written = write_report(settings())
        except ClienteleError as error:
            progress.tell("note", f"the report could not be written: {error.message}")
            return
    yield dg.MaterializeResult(metadata={"path": str(written)})
