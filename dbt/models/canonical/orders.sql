-- Orders with their milestones.
-- One row per landed version of an event; key: order_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('orders') }}
