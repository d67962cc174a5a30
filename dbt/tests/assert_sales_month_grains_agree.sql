-- Rows mean that a grain of the sales cube gives another total for a month than the base cuboid.
with
base as (
    select
        month_start_date,
        {{ measure_columns(sales_measures()) }}
    from {{ ref('sales_base') }}
    where {{ in_tested_months('order_date') }}
    group by month_start_date
),

grains as (
    select
        grain,
        month_start_date,
        {{ measure_columns(sales_measures()) }}
    from {{ ref('sales_month_grains') }}
    where {{ in_tested_months('month_start_date') }}
    group by grain, month_start_date
),

names as (
    {%- for grain in sales_month_grains() %}
    select '{{ grain }}' as grain {{ "union all" if not loop.last }}
    {%- endfor %}
),

expected as (
    select
        names.grain,
        base.*
    from base
    cross join names
)

select
    coalesce(expected.grain, grains.grain) as grain,
    coalesce(expected.month_start_date, grains.month_start_date) as month_start_date,
    expected.net_sales as base_net_sales,
    grains.net_sales
from expected
full outer join grains on expected.grain = grains.grain and expected.month_start_date = grains.month_start_date
where {{ sums_differ('expected', 'grains') }}
