-- One row per order, order date, store, channel and version of the customer: an order, unless its lines disagree.
-- Additive: all measures. Orders are count(distinct order_id), people count(distinct mastered_customer_key).
-- A load re-aggregates the months its lines, changed customers and products, or changed links between customers touch.
-- A tenth of the lines, so orders and people are counted here. Sorted by order date.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

with
cells as (
    select
        order_date,
        order_id,
        store_key,
        channel_key,
        customer_key,
        customer_durable_key,
        mastered_customer_key,
        customer_profile_key,
        {{ measure_columns(sales_measures(of_lines=true)) }}
    from {{ ref('sales_lines') }}
    where {{ in_sales_months('order_date') }}
    group by
        order_date, order_id, store_key, channel_key, customer_key, customer_durable_key, mastered_customer_key,
        customer_profile_key
    order by order_date
)

select
    cells.order_date,
    {{ first_of('month', 'cells.order_date') }} as month_start_date,
    cells.order_id,
    cells.store_key,
    coalesce(stores.store_id, '(unknown)') as store_id,
    cells.channel_key,
    cells.customer_key,
    cells.customer_durable_key,
    cells.mastered_customer_key,
    coalesce(profiles.age_band, '(unknown)') as age_band,
    coalesce(profiles.income_band, '(unknown)') as income_band,
    {{ summed_columns('cells') }}
from cells
inner join {{ ref('dim_store') }} as stores on cells.store_key = stores.store_key
inner join {{ ref('dim_customer_profile') }} as profiles on cells.customer_profile_key = profiles.customer_profile_key
