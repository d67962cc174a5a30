-- One row per person and month from the first order on, as of the month's last day or the newest day with orders.
-- Semi-additive: customers, and sums over a row's money, add up over people within one month, never over months.
-- A late order restates its person from its month on, and the ranks of everybody in those months.
{{ config(materialized='view') }}

with
states as (
    select
        *,
        lead(month_start_date) over (
            partition by mastered_customer_key order by month_start_date nulls last
        ) as next_month_start_date
    from {{ ref('customer_month_states') }}
)

select
    months.month_start_date,
    months.month_date_key,
    months.as_of_date,
    {{ date_key('months.as_of_date') }} as as_of_date_key,
    months.is_open,
    states.mastered_customer_key,
    states.first_order_date,
    states.last_order_date,
    {{ days_from('states.last_order_date', 'months.as_of_date') }} as recency_days,
    {{ days_from('states.first_order_date', 'months.as_of_date') }} as tenure_days,
    {{ mean_interval_days('states.') }} as mean_interval_days,
    states.order_days_to_date,
    states.orders_to_date,
    states.net_sales_to_date,
    states.orders_12_months,
    states.net_sales_12_months,
    states.margin_12_months,
    states.value_basis,
    case states.value_basis
        when 'gross margin' then states.margin_12_months else states.net_sales_12_months
    end as value_12_months,
    states.recency_score,
    states.frequency_score,
    states.monetary_score,
    coalesce(states.rfm_segment, 'lapsed') as rfm_segment,
    states.pyramid_tier,
    states.trend,
    states.lifecycle,
    states.state,
    {{ customer_standing_key('states.') }} as customer_standing_key
from states
inner join {{ ref('customer_months') }} as months
    on states.month_start_date <= months.month_start_date
    and (states.next_month_start_date is null or states.next_month_start_date > months.month_start_date)
