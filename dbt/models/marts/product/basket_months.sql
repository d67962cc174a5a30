-- One row per source system and month with a basket: an order with a line of positive quantity of a known product.
-- Additive: baskets. An order whose lines lie in two months is a basket in each.
-- A load counts the months anew that its lines, changed members or changed links between customers touch.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    products.source_system,
    {{ first_of('month', 'lines.order_date') }} as month_start_date,
    max(lines.order_date) as last_order_date,
    cast(count(distinct lines.order_id) as bigint) as baskets
from {{ ref('fct_sales_line') }} as lines
inner join {{ ref('dim_product') }} as products on lines.product_key = products.product_key
where
    lines.quantity > 0
    and products.product_key > 0
    and {{ in_sales_months('lines.order_date') }}
group by products.source_system, {{ first_of('month', 'lines.order_date') }}
