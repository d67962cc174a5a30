-- Changes of links between customers of different systems that are one customer.
-- One row per landed change; key: customer_id, other_system, other_customer_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('identities') }}
