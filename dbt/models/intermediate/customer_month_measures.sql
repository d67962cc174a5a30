-- One row per person and month from the first order on: what the person had bought by then. A view over all months.
-- Nothing additive over months: figures reach back from the month's last day, or the newest day with orders.
{{ config(materialized='view') }}

with
months as (
    select
        *,
        {{ add_months('month_start_date', -11) }} as year_start_date,
        {{ add_months('month_start_date', -2) }} as quarter_start_date,
        {{ add_months('month_start_date', -5) }} as half_start_date
    from {{ ref('customer_months') }}
),

summed as (
    select
        months.month_start_date, months.as_of_date, months.is_open,
        activity.mastered_customer_key,
        min(activity.first_order_date) as first_order_date,
        max(activity.last_order_date) as last_order_date,
        cast(sum(activity.order_days) as integer) as order_days_to_date,
        cast(sum(activity.orders) as integer) as orders_to_date,
        cast(sum(activity.net_sales) as decimal(19, 4)) as net_sales_to_date,
        {{ sum_since('activity.orders', 'months.year_start_date', 'integer') }} as orders_12_months,
        {{ sum_since('activity.net_sales', 'months.year_start_date', 'decimal(19, 4)') }} as net_sales_12_months,
        {{ sum_since('activity.cost', 'months.year_start_date', 'decimal(19, 4)') }} as cost_12_months,
        {{ sum_since('activity.costed_sales', 'months.year_start_date', 'decimal(19, 4)') }} as costed_sales_12_months,
        {{ sum_since('activity.net_sales', 'months.quarter_start_date', 'decimal(19, 4)') }} as net_sales_3_months,
        {{ sum_since('activity.net_sales', 'months.half_start_date', 'decimal(19, 4)') }} as net_sales_6_months
    from months
    inner join {{ ref('customer_month_activity') }} as activity
        on months.month_start_date >= activity.month_start_date
    group by months.month_start_date, months.as_of_date, months.is_open, activity.mastered_customer_key
),

costed as (
    select
        *,
        orders_12_months > 0 as is_active,
        -- a margin compares people only where the cost of all they bought is known
        sum(net_sales_12_months) over (partition by month_start_date)
        = sum(costed_sales_12_months) over (partition by month_start_date) as is_costed
    from summed
)

select
    month_start_date, as_of_date, is_open, mastered_customer_key,
    first_order_date, last_order_date, order_days_to_date, orders_to_date, net_sales_to_date,
    is_active, orders_12_months, net_sales_12_months,
    cast(
        case when is_costed then costed_sales_12_months - cost_12_months end as decimal(19, 4)
    ) as margin_12_months,
    case when is_costed then 'gross margin' else 'net sales' end as value_basis,
    cast(
        case when is_costed then costed_sales_12_months - cost_12_months else net_sales_12_months end as decimal(19, 4)
    ) as value_12_months,
    net_sales_3_months,
    cast(net_sales_6_months - net_sales_3_months as decimal(19, 4)) as net_sales_3_months_before,
    {{ days_from('last_order_date', 'as_of_date') }} as recency_days,
    {{ mean_interval_days() }} as mean_interval_days
from costed
