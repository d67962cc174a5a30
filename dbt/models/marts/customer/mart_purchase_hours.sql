-- One row per day of the week and hour: orders of known customers in the twelve months up to the newest, for staffing.
-- Additive: orders, net_sales. Not: buyers. The hour is NULL where a source gives no time.
-- A view over the hours of people.
{{ config(materialized='view') }}

select
    iso_weekday,
    hour_of_day,
    cast(sum(orders) as bigint) as orders,
    cast(sum(net_sales) as decimal(19, 4)) as net_sales,
    cast(count(distinct mastered_customer_key) as bigint) as buyers
from {{ ref('customer_hours') }}
where month_start_date > {{ a_year_before_newest_month() }}
group by iso_weekday, hour_of_day
