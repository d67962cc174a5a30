-- One row per person (over all systems), month and item bought, at the level next best products are looked for at.
-- No measures. Lines of positive quantity; nobody's purchases are left out.
-- A load makes the months anew that its lines, changed members or changed links between customers touch.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

with
members as (
    {{ basket_members(next_best_rules().level) }}
)

select distinct
    {{ first_of('month', 'lines.order_date') }} as month_start_date,
    lines.mastered_customer_key,
    members.item_key
from {{ ref('sales_lines') }} as lines
inner join members on lines.product_key = members.product_key
where
    lines.quantity > 0
    and lines.mastered_customer_key > 0
    and {{ in_sales_months('lines.order_date') }}
order by month_start_date
