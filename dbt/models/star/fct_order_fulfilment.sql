-- One row per order as it stands: an accumulating snapshot of ordered, approved, shipped, delivered, promised.
-- Additive: the count of rows, freight_amount, tax_amount. Not additive: the days between milestones; average them.
-- A newer version of an order takes the older one's place, on whatever day and for whatever customer. A milestone once
-- known stays, though a later version lacks it; a version that comes late fills milestones still unknown and changes
-- nothing else. A tombstone removes the order with all that was known of it. Customers, stores and employees first met
-- here are inferred. Milestones are known as moments, so their date keys are days in UTC.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'order_id'],
    post_hook=[
        "{{ remove_deleted('orders', ['order_id']) }}",
        "{{ repoint('customer', 'customers', 'order_date', ['customer_key', 'customer_profile_key']) }}",
        "{{ repoint('employee', 'employees', 'order_date', ['employee_key']) }}",
    ],
) }}

with
{{ latest_versions('orders', ['order_id']) }},

{{ known_milestones(
    'orders', ['order_id'], ['ordered_at', 'approved_at', 'shipped_at', 'delivered_at', 'promised_at']
) }},

orders as (
    select
        latest.source_system,
        latest.order_id,
        latest.order_date,
        coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
        coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
        coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
        coalesce(stores.store_key, {{ unknown_key() }}) as store_key,
        coalesce(channels.channel_key, {{ unknown_key() }}) as channel_key,
        coalesce(employees.employee_key, {{ unknown_key() }}) as employee_key,
        coalesce(employees.employee_durable_key, {{ unknown_key() }}) as employee_durable_key,
        {{ order_junk_key('latest') }} as order_junk_key,
        coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
        latest.freight as freight_amount,
        latest.tax as tax_amount
    from latest
    left join {{ ref('dim_customer') }} as customers
        on latest.source_system = customers.source_system
        and latest.customer_id = customers.customer_id
        and latest.order_date >= customers.valid_from
        and latest.order_date < customers.valid_to
    left join {{ ref('dim_store') }} as stores
        on latest.source_system = stores.source_system
        and latest.store_id = stores.store_id
    left join {{ ref('dim_channel') }} as channels on latest.channel = channels.channel_code
    left join {{ ref('dim_employee') }} as employees
        on latest.source_system = employees.source_system
        and latest.employee_id = employees.employee_id
        and latest.order_date >= employees.valid_from
        and latest.order_date < employees.valid_to
    left join {{ ref('dim_audit') }} as batches
        on latest.load_id = batches.load_id
        and latest.source_feed = batches.source_feed
    {%- if is_incremental() %}
    union all
    -- orders of which only late versions came
    select
        fact.source_system, fact.order_id, fact.order_date,
        fact.customer_key, fact.customer_durable_key, fact.customer_profile_key, fact.store_key, fact.channel_key,
        fact.employee_key, fact.employee_durable_key, fact.order_junk_key, fact.audit_key,
        fact.freight_amount, fact.tax_amount
    from {{ this }} as fact
    inner join known
        on fact.source_system = known.source_system
        and fact.order_id = known.order_id
        and not known.is_renewed
    {%- endif %}
)

select
    orders.source_system,
    orders.order_id,
    orders.order_date,
    {{ date_key('orders.order_date') }} as order_date_key,
    {{ milestone_date_key('known.approved_at') }} as approved_date_key,
    {{ milestone_date_key('known.shipped_at') }} as shipped_date_key,
    {{ milestone_date_key('known.delivered_at') }} as delivered_date_key,
    {{ milestone_date_key('known.promised_at') }} as promised_date_key,
    orders.customer_key, orders.customer_durable_key, orders.customer_profile_key,
    orders.store_key, orders.channel_key, orders.employee_key, orders.employee_durable_key, orders.order_junk_key,
    orders.audit_key,
    known.ordered_at, known.approved_at, known.shipped_at, known.delivered_at, known.promised_at,
    {{ elapsed_days('known.ordered_at', 'known.approved_at') }} as days_to_approve,
    {{ elapsed_days('known.approved_at', 'known.shipped_at') }} as days_to_ship,
    {{ elapsed_days('known.shipped_at', 'known.delivered_at') }} as days_to_deliver,
    {{ elapsed_days('known.ordered_at', 'known.delivered_at') }} as days_in_all,
    known.delivered_at <= known.promised_at as is_on_time,
    orders.freight_amount,
    orders.tax_amount
from orders
inner join known
    on orders.source_system = known.source_system
    and orders.order_id = known.order_id
order by orders.order_date, orders.source_system, orders.order_id
