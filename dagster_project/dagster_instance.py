"""The Dagster instance of this home: where runs, events and schedule ticks are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dagster_project.settings import settings

# The tag that ties a run to the job in the web UI: the repository as `clientele up` names it.
REPOSITORY_TAG = {".dagster/repository": "__repository__@dagster_project.definitions"}

CONFIG = """\
# Written by clientele; delete it to have it written anew.
telemetry:
  enabled: false
run_retries:
  enabled: true
  max_retries: 0
  retry_on_asset_or_op_failure: false
run_monitoring:
  enabled: true
concurrency:
  runs:
    max_concurrent_runs: 1
event_log_storage:
  module: dagster_project.dagster_event_log
  class: SqliteEventLog
# Capturing stdout starts four processes a run, which outlive a killed load for a while; events tell it all.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def home() -> Path:
    """The instance's folder, made ready on first use, and DAGSTER_HOME set to it."""
    folder = settings().dagster_home
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "dagster.yaml"
    if not config.exists():
        config.write_text(CONFIG, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


def instance() -> Any:
    """The instance, as a context manager."""
    import dagster as dg

    home()
    return dg.DagsterInstance.get()
