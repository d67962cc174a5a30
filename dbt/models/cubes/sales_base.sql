-- One row per order date, store, department, category, age band and income band that sold something: the base cuboid.
-- Additive: all measures, over every dimension. Bands are those the customer had then (profile key of the line).
-- A load re-aggregates the months its lines, or changed customers and products, touch. Sorted by order date.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    order_date,
    month_start_date,
    store_key,
    store_id,
    department,
    category,
    age_band,
    income_band,
    {{ measure_columns(sales_measures(of_lines=true, counts='left_out')) }}
from ({{ sales_lines_described() }}) as lines
group by order_date, month_start_date, store_key, store_id, department, category, age_band, income_band
order by order_date
