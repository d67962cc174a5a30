-- Changes of customers without personal data.
-- One row per landed change; key: customer_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('customers') }}
