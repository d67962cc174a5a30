-- Customers who left.
-- One row per landed version of an event; key: customer_id, churned_date.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('churn_events') }}
