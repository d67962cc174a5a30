-- Rows mean that two grains of the sales cube give different totals for the same sales: each must sum to all months.
with
months as (
    select sum(net_sales) as net_sales, sum(gross_sales) as gross_sales, sum(units) as units, sum(lines) as lines
    from {{ ref('sales_month_grains') }}
    where grain = 'month'
),

grains as (
    select grain, sum(net_sales) as net_sales, sum(gross_sales) as gross_sales, sum(units) as units, sum(lines) as lines
    from {{ ref('sales_grains') }}
    group by grain
)

select grains.grain, grains.net_sales, months.net_sales as month_net_sales
from grains
cross join months
where
    grains.net_sales is distinct from months.net_sales
    or grains.gross_sales is distinct from months.gross_sales
    or grains.units is distinct from months.units
    or grains.lines is distinct from months.lines
