-- Changes of contracts with customers.
-- One row per landed change; key: contract_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('contracts') }}
