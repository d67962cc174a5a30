"""Everything Dagster knows of Clientele."""

from __future__ import annotations

import gc

import dagster as dg

from dagster_project.defs.expectations import table_expectations
from dagster_project.defs.feeds import feed_assets
from dagster_project.defs.killed import killed_loads
from dagster_project.defs.nightly import fit_of_the_month, load_failed, monthly_fit, nightly, nightly_load
from dagster_project.defs.serving import postgres_store, report
from dagster_project.defs.session import LoadSession
from dagster_project.defs.warehouse import dbt_build, reconciliation, release

# dbt's and Dagster's graphs are millions of objects that stay: Python looked through them 4 s of a small night's 27.
gc.set_threshold(200_000, 20, 100)

defs = dg.Definitions(
    assets=[*feed_assets(), dbt_build, release, postgres_store, report],
    asset_checks=[reconciliation, *table_expectations()],
    jobs=[nightly_load, monthly_fit],
    schedules=[nightly, fit_of_the_month],
    sensors=[load_failed, killed_loads],
    resources={"session": LoadSession()},
    executor=dg.in_process_executor,
)
