-- Who was chosen for which campaign.
-- One row per landed version of an event; key: campaign_id, customer_id, channel, assigned_date.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('campaign_contacts') }}
