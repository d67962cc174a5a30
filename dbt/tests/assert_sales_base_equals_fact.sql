-- Rows mean that the cube tells another story than the lines: measures of a month differ between base cuboid and fact.
with
facts as (
    select
        {{ first_of('month', 'order_date') }} as month_start_date,
        sum(net_amount) as net_sales, sum(gross_amount) as gross_sales, sum(quantity) as units, count(*) as lines
    from {{ ref('fct_sales_line') }}
    where {{ in_tested_months('order_date') }}
    group by {{ first_of('month', 'order_date') }}
),

cells as (
    select
        month_start_date,
        sum(net_sales) as net_sales, sum(gross_sales) as gross_sales, sum(units) as units, sum(lines) as lines
    from {{ ref('sales_base') }}
    where {{ in_tested_months('order_date') }}
    group by month_start_date
)

select
    coalesce(facts.month_start_date, cells.month_start_date) as month_start_date,
    facts.net_sales as fact_net_sales,
    cells.net_sales as cube_net_sales
from facts
full outer join cells on facts.month_start_date = cells.month_start_date
where
    facts.net_sales is distinct from cells.net_sales
    or facts.gross_sales is distinct from cells.gross_sales
    or facts.units is distinct from cells.units
    or facts.lines is distinct from cells.lines
