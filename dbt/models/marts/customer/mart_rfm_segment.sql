-- One row per month and segment of recency and frequency: how many people, and what they bought in twelve months.
-- Additive over segments within one month: customers, orders_12_months, net_sales_12_months; over months nothing.
-- Months from the first one a load touches on are made anew, as segments compare everybody.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_restated_months() }}",
) }}

with
segments as (
    select
        month_start_date,
        rfm_segment,
        cast(count(*) as bigint) as customers,
        cast(sum(orders_12_months) as bigint) as orders_12_months,
        cast(sum(net_sales_12_months) as decimal(19, 4)) as net_sales_12_months,
        {{ ratio('sum(recency_days)', 'count(*)') }} as mean_recency_days
    from {{ ref('fct_customer_month') }}
    where {{ in_restated_months('month_start_date') }}
    group by month_start_date, rfm_segment
)

select
    month_start_date, rfm_segment, customers, orders_12_months, net_sales_12_months, mean_recency_days,
    {{ share_of_month('customers') }} as customer_share,
    {{ share_of_month('net_sales_12_months') }} as net_sales_share
from segments
