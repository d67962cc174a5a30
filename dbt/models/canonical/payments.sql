-- Payments.
-- One row per landed version of an event; key: payment_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('payments') }}
