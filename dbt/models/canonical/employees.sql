-- Changes of employees who sell or serve.
-- One row per landed change; key: employee_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('employees') }}
