-- Lines given back or cancelled; quantity and amount are positive.
-- One row per landed version of an event; key: return_id, line_no.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('returns') }}
