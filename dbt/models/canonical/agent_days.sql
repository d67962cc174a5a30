-- Working days of employees who serve.
-- One row per landed version of an event; key: employee_id, work_date.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('agent_days') }}
