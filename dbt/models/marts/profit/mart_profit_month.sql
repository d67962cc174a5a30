-- One row per month: from sales before discounts down to what is left after costs and promotions.
-- Additive: the money. What is not known of all sales is NULL, and so is what follows from it.
-- A view over the month's cells of the cube and the costs of campaigns by their day.
{{ config(materialized='view') }}

with
costs as (
    select {{ first_of('month', 'cost_date') }} as month_start_date, sum(cost_amount) as promotion_cost
    from {{ ref('fct_campaign_cost') }}
    group by {{ first_of('month', 'cost_date') }}
),

-- a month without a cost cost nothing where a source tells costs, and is not measured where none does
measured as (
    select count(*) > 0 as has_costs
    from costs
),

months as (
    select
        cells.period_start_date as month_start_date,
        cells.gross_sales, cells.net_sales,
        case when cells.costed_sales = cells.net_sales then cells.cost end as cost,
        case when measured.has_costs then coalesce(costs.promotion_cost, 0) end as promotion_cost
    from {{ ref('sales_month_grains') }} as cells
    cross join measured
    left join costs on cells.month_start_date = costs.month_start_date
    where cells.grain = 'month'
)

select
    month_start_date,
    gross_sales,
    cast(gross_sales - net_sales as decimal(19, 4)) as discount,
    net_sales,
    cost,
    cast(net_sales - cost as decimal(19, 4)) as gross_margin,
    cast(promotion_cost as decimal(19, 4)) as promotion_cost,
    cast(net_sales - cost - promotion_cost as decimal(19, 4)) as contribution
from months
