-- Changes of who belongs to which household or account.
-- One row per landed change; key: household_id, customer_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('households') }}
