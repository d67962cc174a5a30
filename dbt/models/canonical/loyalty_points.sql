-- Movements of loyalty points.
-- One row per landed version of an event; key: movement_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('loyalty_points') }}
