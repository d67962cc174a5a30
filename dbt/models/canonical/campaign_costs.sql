-- What campaigns cost.
-- One row per landed version of an event; key: campaign_id, cost_date, cost_type.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('campaign_costs') }}
