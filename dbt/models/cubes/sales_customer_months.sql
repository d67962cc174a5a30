-- One row per person (over all systems), month, store and department bought in.
-- Additive: all measures. People are count(distinct mastered_customer_key): exact over any months, stores, departments.
-- A load re-aggregates the months its lines, changed products, or changed links between customers touch.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

with
cells as (
    select
        month_start_date,
        mastered_customer_key,
        store_key,
        department_number,
        {{ measure_columns(sales_measures(of_lines=true)) }}
    from ({{ sales_lines_numbered() }}) as lines
    group by month_start_date, mastered_customer_key, store_key, department_number
    order by month_start_date
),

products as (
    {{ names_of(['department'], numbered_products()) }}
)

select
    cells.month_start_date,
    cells.mastered_customer_key,
    cells.store_key,
    products.department,
    {{ summed_columns('cells') }}
from cells
inner join products on cells.department_number = products.department_number
