-- Changes of reasons: for buying, returning, complaining, leaving.
-- One row per landed change; key: reason_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('reasons') }}
