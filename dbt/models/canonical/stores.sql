-- Changes of stores.
-- One row per landed change; key: store_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('stores') }}
