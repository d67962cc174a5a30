-- One row per month of the first order (cohort) and month from then on: who still buys, and how much.
-- Additive over cohorts within one month: customers, buyers, orders, net_sales. cohort_customers repeats in each month.
-- Months from the first one a load touches on are made anew: an earlier first order moves a person to another cohort.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_restated_months() }}",
) }}

with
people as (
    select
        mastered_customer_key,
        min(month_start_date) as cohort_month
    from {{ ref('customer_month_activity') }}
    group by mastered_customer_key
),

cohorts as (
    select
        cohort_month,
        cast(count(*) as bigint) as cohort_customers
    from people
    group by cohort_month
),

bought as (
    select
        people.cohort_month,
        activity.month_start_date,
        cast(count(*) as bigint) as buyers,
        cast(sum(activity.orders) as bigint) as orders,
        cast(sum(activity.net_sales) as decimal(19, 4)) as net_sales
    from {{ ref('customer_month_activity') }} as activity
    inner join people on activity.mastered_customer_key = people.mastered_customer_key
    where {{ in_restated_months('activity.month_start_date') }}
    group by people.cohort_month, activity.month_start_date
)

select
    months.month_start_date,
    cohorts.cohort_month,
    cast(
        12 * (year(months.month_start_date) - year(cohorts.cohort_month))
        + month(months.month_start_date) - month(cohorts.cohort_month) as integer
    ) as months_since_first,
    months.is_open,
    cohorts.cohort_customers,
    coalesce(bought.buyers, 0) as buyers,
    coalesce(bought.orders, 0) as orders,
    coalesce(bought.net_sales, cast(0 as decimal(19, 4))) as net_sales,
    {{ ratio('coalesce(bought.buyers, 0)', 'cohorts.cohort_customers') }} as retention
from {{ ref('customer_months') }} as months
inner join cohorts on months.month_start_date >= cohorts.cohort_month
left join bought
    on cohorts.cohort_month = bought.cohort_month
    and months.month_start_date = bought.month_start_date
where {{ in_restated_months('months.month_start_date') }}
