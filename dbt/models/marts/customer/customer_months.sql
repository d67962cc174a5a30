-- One row per month from the first order on, and the day on which customers are measured in it.
-- No measures. The last one is open unless its last day has orders; it is measured on the newest day with orders.
with
known as (
    select
        min(month_start_date) as first_month,
        max(last_order_date) as newest_order_date
    from {{ ref('customer_month_activity') }}
),

months as (
    select
        dates.calendar_date as month_start_date,
        dates.date_key as month_date_key,
        {{ add_days(add_months('dates.calendar_date', 1), -1) }} as month_end_date,
        known.newest_order_date
    from {{ ref('dim_date') }} as dates
    inner join known
        on dates.calendar_date >= known.first_month
        and dates.calendar_date <= known.newest_order_date
    where dates.day_of_month = 1
)

select
    month_start_date,
    month_date_key,
    least(month_end_date, newest_order_date) as as_of_date,
    newest_order_date < month_end_date as is_open
from months
