-- One row per order, order date, store, channel and version of the customer: an order, unless its lines disagree.
-- Additive: all measures. Orders are count(distinct order_id), people count(distinct mastered_customer_key).
-- A load re-aggregates the months its lines, changed customers and products, or changed links between customers touch.
-- A tenth of the lines, so orders and people are counted here. Sorted by order date.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    order_date,
    month_start_date,
    order_id,
    store_key,
    store_id,
    channel_key,
    customer_key,
    customer_durable_key,
    mastered_customer_key,
    age_band,
    income_band,
    {{ measure_columns(sales_measures(of_lines=true, counts='left_out')) }}
from ({{ sales_lines_described() }}) as lines
group by
    order_date, month_start_date, order_id, store_key, store_id, channel_key, customer_key, customer_durable_key,
    mastered_customer_key, age_band, income_band
order by order_date
