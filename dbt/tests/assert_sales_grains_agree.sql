-- Rows mean that two grains of the sales cube give different totals for the same sales: each must sum to all months.
with
months as (
    select
        {{ measure_columns(sales_measures()) }}
    from {{ ref('sales_month_grains') }}
    where grain = 'month'
),

grains as (
    select
        grain,
        {{ measure_columns(sales_measures()) }}
    from {{ ref('sales_grains') }}
    group by grain
)

select grains.grain, grains.net_sales, months.net_sales as month_net_sales
from grains
cross join months
where {{ sums_differ('grains', 'months') }}
