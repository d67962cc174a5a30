-- One row per contact with a customer: e-mail, chat, telephone, visit.
-- Additive: the count of rows, wait_seconds, reply_seconds, handling_seconds; each is NULL where a moment is missing.
-- A late contact is added under its own date; a newer version takes the older one's place, on whatever day, and a
-- tombstone removes it. Customers, employees and campaigns first met here are inferred.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_superseded('interactions', ['interaction_id'], 'interaction_date') }}",
    post_hook=[
        "{{ repoint('customer', 'customers', 'interaction_date', ['customer_key', 'customer_profile_key']) }}",
        "{{ repoint('employee', 'employees', 'interaction_date', ['employee_key']) }}",
        "{{ repoint('campaign', 'campaigns', 'interaction_date', ['campaign_key']) }}",
    ],
) }}

with
latest as (
    {{ applied_rows('interactions', ['interaction_id'], whole=not is_incremental()) }}
)

select
    latest.source_system,
    latest.interaction_id,
    latest.interaction_date,
    {{ date_key('latest.interaction_date') }} as interaction_date_key,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(channels.channel_key, {{ unknown_key() }}) as channel_key,
    coalesce(employees.employee_key, {{ unknown_key() }}) as employee_key,
    coalesce(employees.employee_durable_key, {{ unknown_key() }}) as employee_durable_key,
    -- most contacts belong to no campaign
    coalesce(campaigns.campaign_key, {{ not_applicable_key() }}) as campaign_key,
    coalesce(campaigns.campaign_durable_key, {{ not_applicable_key() }}) as campaign_durable_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    latest.direction,
    latest.interaction_type,
    latest.order_id,
    latest.case_id,
    latest.queued_at,
    latest.started_at,
    latest.first_reply_at,
    latest.ended_at,
    cast({{ seconds_from('latest.queued_at', 'latest.started_at') }} as bigint) as wait_seconds,
    cast(
        {{ seconds_from('coalesce(latest.queued_at, latest.started_at)', 'latest.first_reply_at') }} as bigint
    ) as reply_seconds,
    cast({{ seconds_from('latest.started_at', 'latest.ended_at') }} as bigint) as handling_seconds
from latest
left join {{ ref('dim_customer') }} as customers
    on latest.source_system = customers.source_system
    and latest.customer_id = customers.customer_id
    and latest.interaction_date >= customers.valid_from
    and latest.interaction_date < customers.valid_to
left join {{ ref('dim_channel') }} as channels on latest.channel = channels.channel_code
left join {{ ref('dim_employee') }} as employees
    on latest.source_system = employees.source_system
    and latest.employee_id = employees.employee_id
    and latest.interaction_date >= employees.valid_from
    and latest.interaction_date < employees.valid_to
left join {{ ref('dim_campaign') }} as campaigns
    on latest.source_system = campaigns.source_system
    and latest.campaign_id = campaigns.campaign_id
    and latest.interaction_date >= campaigns.valid_from
    and latest.interaction_date < campaigns.valid_to
left join {{ ref('dim_audit') }} as batches
    on latest.load_id = batches.load_id
    and latest.source_feed = batches.source_feed
order by latest.interaction_date, latest.load_id, latest.load_row
