"""Load dates as daily partitions."""

import dagster as dg

from dagster_project.settings import settings

# Feeds and releases are partitioned by load date. dbt's tables are not: each holds all days, and one event
# a table and day would cost 5 ms each on a year's backfill.
load_dates = dg.DailyPartitionsDefinition(start_date=settings().first_date.isoformat(), timezone=settings().timezone)
