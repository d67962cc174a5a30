-- Changes of what customers own: products sold, their warranty and use.
-- One row per landed change; key: asset_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('assets') }}
