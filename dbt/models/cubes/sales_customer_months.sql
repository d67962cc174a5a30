-- One row per person (over all systems), month, store and department bought in.
-- Additive: all measures. People are count(distinct mastered_customer_key): exact over any months, stores, departments.
-- A load re-aggregates the months its lines, changed products, or changed links between customers touch.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    month_start_date,
    mastered_customer_key,
    store_key,
    department,
    {{ measure_columns(sales_measures(of_lines=true, counts='left_out')) }}
from ({{ sales_lines_described() }}) as lines
group by month_start_date, mastered_customer_key, store_key, department
order by month_start_date
