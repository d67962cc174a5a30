-- Who was chosen for which campaign, one row a customer and touch; of an experiment the holdouts too.
-- One row per landed version of an event; key: campaign_id, customer_id, channel, assigned_date.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('campaign_contacts') }}
