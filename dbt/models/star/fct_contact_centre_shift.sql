-- One row per shift of a contact centre.
-- Additive: operators*, calls, automatic_responses, orders, issues_raised. Not additive: average_seconds_per_issue,
-- service_grade. A late shift is appended under its own date.
{{ config(materialized='incremental', incremental_strategy='append') }}

with
shifts as (
    select *
    from {{ ref('contact_centre_shifts') }}
    where {{ in_this_load() }}
)

select
    shifts.shift_date,
    {{ date_key('shifts.shift_date') }} as shift_date_key,
    shifts.source_system, shifts.shift, shifts.day_type,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    shifts.operators_level_1, shifts.operators_level_2, shifts.operators,
    shifts.calls, shifts.automatic_responses, shifts.orders, shifts.issues_raised,
    shifts.average_seconds_per_issue, shifts.service_grade
from shifts
left join {{ ref('dim_audit') }} as batches
    on shifts.load_id = batches.load_id
    and shifts.source_feed = batches.source_feed
