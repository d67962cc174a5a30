-- One row per charge or credit that is no product: postage, fees, manual corrections, written-off debt.
-- Additive: quantity, charge_amount; both are negative where something is credited.
-- A late charge is appended under its own date; a charge before its customer points to an inferred member.
-- A change of a customer's past re-points the charges it concerns.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    post_hook=["{{ repoint('customer', 'customers', 'charged_date', ['customer_key', 'customer_profile_key']) }}"],
) }}

with
charges as (
    select *
    from {{ ref('order_charges') }}
    where {{ in_this_load() }}
)

select
    charges.order_id,
    charges.line_no,
    charges.charge_type,
    charges.charged_date,
    {{ date_key('charges.charged_date') }} as charged_date_key,
    charges.charged_at,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(stores.store_key, {{ unknown_key() }}) as store_key,
    coalesce(channels.channel_key, {{ unknown_key() }}) as channel_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    charges.quantity,
    charges.amount as charge_amount
from charges
left join {{ ref('dim_customer') }} as customers
    on charges.source_system = customers.source_system
    and charges.customer_id = customers.customer_id
    and charges.charged_date >= customers.valid_from
    and charges.charged_date < customers.valid_to
left join {{ ref('dim_store') }} as stores
    on charges.source_system = stores.source_system
    and charges.store_id = stores.store_id
left join {{ ref('dim_channel') }} as channels on charges.channel = channels.channel_code
left join {{ ref('dim_audit') }} as batches
    on charges.load_id = batches.load_id
    and charges.source_feed = batches.source_feed
