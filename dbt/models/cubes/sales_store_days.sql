-- One row per order date, store and department that sold something, summed from the base cuboid: a fifth of its rows.
-- Additive: all measures, over every dimension.
-- A load re-aggregates the months its lines, or changed customers and products, touch. Sorted by month, then store:
-- what is asked of one store is answered a fifth sooner than sorted by date, measured at 14.6M lines.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    order_date,
    month_start_date,
    store_key,
    department,
    {{ measure_columns(sales_measures()) }}
from {{ ref('sales_base') }}
where {{ in_sales_months('order_date') }}
group by order_date, month_start_date, store_key, department
order by month_start_date, store_key, order_date
