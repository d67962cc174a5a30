-- One row per payment.
-- Additive: payment_amount. Not additive: instalments, exchange_rate.
-- A late payment is added under its own date; a newer version takes the older one's place, on whatever day, and a
-- tombstone removes it. A customer first met here is inferred.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_superseded('payments', ['payment_id'], 'paid_date') }}",
    post_hook=[
        "{{ repoint('customer', 'customers', 'paid_date', ['customer_key', 'customer_profile_key']) }}",
    ],
) }}

with
latest as (
    {{ applied_rows('payments', ['payment_id'], whole=not is_incremental()) }}
)

select
    latest.source_system,
    latest.payment_id,
    latest.paid_date,
    {{ date_key('latest.paid_date') }} as paid_date_key,
    latest.paid_at,
    latest.order_id,
    latest.invoice_id,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(methods.payment_method_key, {{ unknown_key() }}) as payment_method_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    latest.instalments,
    latest.amount as payment_amount,
    latest.transaction_currency,
    latest.exchange_rate
from latest
left join {{ ref('dim_customer') }} as customers
    on latest.source_system = customers.source_system
    and latest.customer_id = customers.customer_id
    and latest.paid_date >= customers.valid_from
    and latest.paid_date < customers.valid_to
left join {{ ref('dim_payment_method') }} as methods
    on {{ normalised('latest.payment_method') }} = methods.payment_method
left join {{ ref('dim_audit') }} as batches
    on latest.load_id = batches.load_id
    and latest.source_feed = batches.source_feed
order by latest.paid_date, latest.load_id, latest.load_row
