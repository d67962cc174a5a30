"""`python -m tests.support.describe`: what Dagster is given, as JSON."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_project.definitions import defs
from dagster_project.settings import settings


def main() -> None:
    graph = defs.resolve_asset_graph()
    job = defs.resolve_job_def("nightly_load")
    repository = defs.get_repository_def()
    schedule = repository.get_schedule_def("nightly")
    at = datetime(2017, 3, 13, 3, tzinfo=ZoneInfo(settings().timezone))
    tick = schedule.evaluate_tick(dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository))
    json.dump(
        {
            "assets": sorted("/".join(key.path) for key in graph.get_all_asset_keys()),
            "parents": {
                "/".join(key.path): sorted("/".join(p.path) for p in graph.get(key).parent_keys)
                for key in graph.get_all_asset_keys()
            },
            "checks": sorted(f"{'/'.join(k.asset_key.path)}:{k.name}" for k in graph.asset_check_keys),
            "partitioned": sorted("/".join(k.path) for k in graph.get_all_asset_keys() if graph.get(k).partitions_def),
            "job": sorted("/".join(key.path) for key in job.asset_layer.executable_asset_keys),
            "job_checks": len(job.asset_layer.asset_graph.asset_check_keys),
            "schedule": {
                "cron": schedule.cron_schedule,
                "timezone": schedule.execution_timezone,
                "running": schedule.default_status is dg.DefaultScheduleStatus.RUNNING,
                "partition": [request.partition_key for request in tick.run_requests or ()],
                "run_key": [request.run_key for request in tick.run_requests or ()],
            },
            "sensors": {s.name: s.default_status is dg.DefaultSensorStatus.RUNNING for s in repository.sensor_defs},
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
