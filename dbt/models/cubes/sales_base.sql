-- One row per order date, store, department, category, age band and income band that sold something: the base cuboid.
-- Additive: all measures, over every dimension. Bands are those the customer had then (profile key of the line).
-- A load re-aggregates the months its lines, or changed customers and products, touch. Sorted by order date.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    lines.order_date,
    {{ first_of('month', 'lines.order_date') }} as month_start_date,
    lines.store_key,
    coalesce(stores.store_id, '(unknown)') as store_id,
    coalesce(products.department, '(unknown)') as department,
    coalesce(products.category, '(unknown)') as category,
    coalesce(profiles.age_band, '(unknown)') as age_band,
    coalesce(profiles.income_band, '(unknown)') as income_band,
    cast(sum(lines.net_amount) as decimal(19, 4)) as net_sales,
    cast(sum(lines.gross_amount) as decimal(19, 4)) as gross_sales,
    cast(sum(lines.discount_retail_amount) as decimal(19, 4)) as discount_retail,
    cast(sum(lines.discount_match_amount) as decimal(19, 4)) as discount_match,
    cast(sum(lines.discount_coupon_amount) as decimal(19, 4)) as discount_coupon,
    cast(sum(lines.quantity) as bigint) as units,
    cast(count(*) as bigint) as lines
from {{ ref('fct_sales_line') }} as lines
left join {{ ref('dim_store') }} as stores on lines.store_key = stores.store_key
left join {{ ref('dim_product') }} as products on lines.product_key = products.product_key
left join {{ ref('dim_customer_profile') }} as profiles on lines.customer_profile_key = profiles.customer_profile_key
where {{ in_sales_months('lines.order_date') }}
group by
    lines.order_date, lines.store_key, stores.store_id,
    products.department, products.category, profiles.age_band, profiles.income_band
order by lines.order_date
