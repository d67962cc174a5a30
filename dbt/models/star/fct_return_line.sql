-- One row per line given back or cancelled.
-- Additive: quantity, return_amount, both positive. Not additive: unit_price.
-- A late line is appended under its own date; a line before its customer or product points to an inferred member.
-- A change of a member's past re-points the lines it concerns. The order is known only where the source says it.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    post_hook=[
        "{{ repoint('customer', 'customers', 'returned_date', ['customer_key', 'customer_profile_key']) }}",
        "{{ repoint('product', 'products', 'returned_date', ['product_key']) }}",
    ],
) }}

with
lines as (
    select *
    from {{ ref('returns') }}
    where {{ in_this_load() }}
)

select
    lines.return_id,
    lines.line_no,
    lines.order_id,
    lines.order_line_no,
    lines.returned_date,
    {{ date_key('lines.returned_date') }} as returned_date_key,
    coalesce({{ minute_of_day('lines.returned_at_local') }}, {{ unknown_key() }}) as time_of_day_key,
    lines.returned_at,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(products.product_key, {{ unknown_key() }}) as product_key,
    coalesce(products.product_durable_key, {{ unknown_key() }}) as product_durable_key,
    coalesce(stores.store_key, {{ unknown_key() }}) as store_key,
    coalesce(channels.channel_key, {{ unknown_key() }}) as channel_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    lines.return_type,
    lines.quantity,
    lines.unit_price,
    lines.amount as return_amount
from lines
left join {{ ref('dim_customer') }} as customers
    on lines.source_system = customers.source_system
    and lines.customer_id = customers.customer_id
    and lines.returned_date >= customers.valid_from
    and lines.returned_date < customers.valid_to
left join {{ ref('dim_product') }} as products
    on lines.source_system = products.source_system
    and lines.product_id = products.product_id
    and lines.returned_date >= products.valid_from
    and lines.returned_date < products.valid_to
left join {{ ref('dim_store') }} as stores
    on lines.source_system = stores.source_system
    and lines.store_id = stores.store_id
left join {{ ref('dim_channel') }} as channels on lines.channel = channels.channel_code
left join {{ ref('dim_audit') }} as batches
    on lines.load_id = batches.load_id
    and lines.source_feed = batches.source_feed
