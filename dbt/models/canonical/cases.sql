-- Complaints and requests with their milestones.
-- One row per landed version of an event; key: case_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('cases') }}
