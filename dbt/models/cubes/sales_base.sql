-- One row per order date, store, department, category, age band and income band that sold something: the base cuboid.
-- Additive: all measures, over every dimension. Bands are those the customer had then (profile key of the line).
-- A load re-aggregates the months its lines, or changed customers and products, touch. Sorted by order date.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

with
cells as (
    select
        order_date,
        store_key,
        category_number,
        income_band_number,
        {{ measure_columns(sales_measures(of_lines=true)) }}
    from ({{ sales_lines_numbered(with_bands=true) }}) as lines
    group by order_date, store_key, category_number, income_band_number
    order by order_date
),

products as (
    {{ names_of(['department', 'category'], numbered_products()) }}
),

profiles as (
    {{ names_of(['age_band', 'income_band'], numbered_profiles()) }}
)

select
    cells.order_date,
    {{ first_of('month', 'cells.order_date') }} as month_start_date,
    cells.store_key,
    coalesce(stores.store_id, '(unknown)') as store_id,
    products.department,
    products.category,
    profiles.age_band,
    profiles.income_band,
    {{ summed_columns('cells') }}
from cells
inner join {{ ref('dim_store') }} as stores on cells.store_key = stores.store_key
inner join products on cells.category_number = products.category_number
inner join profiles on cells.income_band_number = profiles.income_band_number
