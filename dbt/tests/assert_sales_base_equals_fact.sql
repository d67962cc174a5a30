-- Rows mean that the cube tells another story than the lines: a measure of a month differs in base cuboid and fact.
with
facts as (
    select
        {{ first_of('month', 'order_date') }} as month_start_date,
        {{ measure_columns(sales_measures(of_lines=true)) }}
    from {{ ref('fct_sales_line') }}
    where {{ in_tested_months('order_date') }}
    group by {{ first_of('month', 'order_date') }}
),

cells as (
    select
        month_start_date,
        {{ measure_columns(sales_measures()) }}
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
where {{ sums_differ('facts', 'cells') }}
