-- Changes of campaigns.
-- One row per landed change; key: campaign_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('campaigns') }}
