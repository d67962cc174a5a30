-- Changes of currencies.
-- One row per landed change; key: currency_code.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('currencies') }}
