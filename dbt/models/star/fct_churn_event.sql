-- One row per customer who left, and day of leaving; who comes back and leaves again has two.
-- Additive: the count of rows.
-- A late event is added under its own date; a newer version takes the older one's place, and a tombstone removes it.
-- Customers and reasons first met here are inferred.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_superseded('churn_events', ['customer_id', 'churned_date'], 'churned_date') }}",
    post_hook="{{ repoint('customer', 'customers', 'churned_date', ['customer_key', 'customer_profile_key']) }}",
) }}

with
latest as (
    {{ applied_rows('churn_events', ['customer_id', 'churned_date'], whole=not is_incremental()) }}
)

select
    latest.source_system,
    latest.customer_id,
    latest.churned_date,
    {{ date_key('latest.churned_date') }} as churned_date_key,
    latest.churned_at,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(reasons.reason_key, {{ unknown_key() }}) as reason_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    latest.churn_type
from latest
left join {{ ref('dim_customer') }} as customers
    on latest.source_system = customers.source_system
    and latest.customer_id = customers.customer_id
    and latest.churned_date >= customers.valid_from
    and latest.churned_date < customers.valid_to
left join {{ ref('dim_reason') }} as reasons
    on latest.source_system = reasons.source_system
    and latest.reason_id = reasons.reason_id
left join {{ ref('dim_audit') }} as batches
    on latest.load_id = batches.load_id
    and latest.source_feed = batches.source_feed
order by latest.churned_date, latest.load_id, latest.load_row
