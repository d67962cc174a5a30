-- Chances to sell, from the lead through the funnel.
-- One row per landed version of an event; key: opportunity_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('opportunities') }}
