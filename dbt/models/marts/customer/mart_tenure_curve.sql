-- One row per number of months since the first order: the share of people who buy then, over all cohorts old enough.
-- No additive measures. Open months are left out: they would show too few buyers.
{{ config(materialized='view') }}

select
    months_since_first,
    cast(count(*) as bigint) as cohorts,
    cast(sum(cohort_customers) as bigint) as customers,
    cast(sum(buyers) as bigint) as buyers,
    {{ ratio('sum(buyers)', 'sum(cohort_customers)') }} as retention,
    {{ ratio('sum(net_sales)', 'sum(cohort_customers)') }} as net_sales_per_customer
from {{ ref('mart_customer_cohort') }}
where not is_open
group by months_since_first
