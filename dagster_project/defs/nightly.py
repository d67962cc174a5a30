"""The nightly job, its schedule, and what happens when it fails."""

from datetime import timedelta
from typing import Any

import dagster as dg

from dagster_project.defs.partitions import load_dates
from dagster_project.settings import settings
from dagster_project.warehouse.worth import fit_served
from dagster_project.webhook import post

# One process for all steps: a load shares one session, and a step process costs 2 s to start.
nightly_load = dg.define_asset_job(
    "nightly_load",
    selection=dg.AssetSelection.all(),
    partitions_def=load_dates,
    executor_def=dg.in_process_executor,
    description="Land every feed, build and prove the warehouse, publish it.",
)


@dg.schedule(
    job=nightly_load,
    cron_schedule=settings().schedule,
    execution_timezone=settings().timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Loads the day that is over. Nights that were missed are caught up by the same load.",
)
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """A feed takes everything since its own watermark, so one run catches up however many were missed."""
    day = (context.scheduled_execution_time - timedelta(days=1)).date().isoformat()
    return dg.RunRequest(run_key=day, partition_key=day, tags={"dagster/max_retries": "2"})


@dg.op(name="fit", description="Fit the models of customers' worth on what is served; the next load reads them.")
def fit_models(context: dg.OpExecutionContext) -> None:
    landed = fit_served(settings(), wait=settings().lock_wait)
    context.log.info(
        f"{landed.folder.name}: purchases after {landed.manifest.purchases}, value after {landed.manifest.values}"
    )


@dg.job(
    name="monthly_fit",
    executor_def=dg.in_process_executor,
    description="Fit customers' worth anew when a month has closed.",
)
def monthly_fit() -> None:
    fit_models()


@dg.schedule(
    job=monthly_fit,
    cron_schedule="0 2 2 * *",
    execution_timezone=settings().timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The night after the month's last day was loaded, so that the next load publishes it.",
)
def fit_of_the_month(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m}")


@dg.run_failure_sensor(
    name="load_failed",
    monitored_jobs=[nightly_load, monthly_fit],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Logs a failed or partial load and posts it to CLIENTELE_WEBHOOK if that is set.",
)
def load_failed(context: dg.RunFailureSensorContext) -> None:
    told = failure_message(context)
    context.log.error(told["text"])
    if settings().webhook:
        post(settings().webhook, told)


def failure_message(context: dg.RunFailureSensorContext) -> dict[str, str]:
    """What the webhook gets: text for people, ids for machines."""
    told = []
    for event in context.get_step_failure_events():
        ours = event.step_failure_data.user_failure_data
        told.append((ours and ours.description) or reason_of(event.step_failure_data.error) or event.message)
    told.append(reason_of(getattr(context.failure_event.event_specific_data, "error", None)))
    reason = "; ".join(dict.fromkeys(filter(None, told))) or context.failure_event.message or "unknown"
    day = context.dagster_run.tags.get("dagster/partition", "")
    return {
        "text": f"Clientele load of {day} failed: {reason}",
        "load_date": day,
        "run_id": context.dagster_run.run_id,
    }


def reason_of(error: Any) -> str:
    """What an error of Dagster's event log says at its root; a failure we raised ourselves without its class."""
    if error is None:
        return ""
    root = error.cause or error
    return str(root.message).removeprefix("dagster._core.definitions.events.Failure: ").strip()
