-- One row per employee and span of time in which team, role and manager held (SCD2).
-- No names or contacts: those live in pii.duckdb, joined by employee_durable_key.
-- A late change cuts the employee's spans anew; one first met in a fact is inferred, and completed later in place.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='employee_durable_key') }}

with
{{ scd2_versions(
    'employee', 'employees',
    attributes=['team', 'manager_id', 'role', 'status', 'hired_date'],
    seen_in=['orders', 'interactions', 'opportunities'],
) }}

select
    employee_key, employee_durable_key, source_system, employee_id,
    team, manager_id, role, status, hired_date,
    valid_from, valid_to, is_current, is_deleted, is_inferred, audit_key
from versions
{{ with_special_members(version_defaults()) }}
