-- One row per person, month, day of the week and hour with an order.
-- Additive: orders within a person's month, as an order is bought in one hour; net_sales.
-- A load re-aggregates the months its lines, changed members or changed links between customers touch.
-- Where the source gives no time of day, the hour is NULL.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

select
    {{ first_of('month', 'lines.order_date') }} as month_start_date,
    lines.mastered_customer_key,
    dates.iso_weekday,
    times.hour_of_day,
    cast(count(distinct lines.order_id) as bigint) as orders,
    cast(sum(lines.net_amount) as decimal(19, 4)) as net_sales
from {{ ref('sales_lines') }} as lines
inner join {{ ref('dim_date') }} as dates on lines.order_date_key = dates.date_key
inner join {{ ref('dim_time_of_day') }} as times on lines.time_of_day_key = times.time_of_day_key
where
    lines.mastered_customer_key > 0
    and {{ in_sales_months('lines.order_date') }}
group by
    {{ first_of('month', 'lines.order_date') }}, lines.mastered_customer_key, dates.iso_weekday, times.hour_of_day
