-- One row per person (over all systems) and month with an order.
-- Additive: orders, order_days, net_sales, gross_sales, units, cost, costed_sales.
-- A load re-aggregates the months its lines, changed members or changed links between customers touch.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    month_start_date,
    mastered_customer_key,
    min(order_date) as first_order_date,
    max(order_date) as last_order_date,
    cast(count(distinct order_date) as integer) as order_days,
    cast(count(distinct order_id) as integer) as orders,
    cast(sum(net_sales) as decimal(19, 4)) as net_sales,
    cast(sum(gross_sales) as decimal(19, 4)) as gross_sales,
    cast(sum(units) as bigint) as units,
    cast(sum(cost) as decimal(19, 4)) as cost,
    cast(sum(costed_sales) as decimal(19, 4)) as costed_sales
from {{ ref('sales_orders') }}
where
    mastered_customer_key > 0
    and {{ in_sales_months('month_start_date') }}
group by month_start_date, mastered_customer_key
order by month_start_date, mastered_customer_key
