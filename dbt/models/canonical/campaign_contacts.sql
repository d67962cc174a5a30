-- Who was chosen for which campaign, one row a customer and touch. Of an experiment deliver everybody who was assigned: those left alone on purpose are rows too (contact_group holdout), without them no effect can be measured.
-- One row per landed version of an event; key: campaign_id, customer_id, channel, assigned_date.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('campaign_contacts') }}
