-- One row per source system: the months its basket rules are counted over, by its own newest order.
-- Additive: baskets.
-- Made whole each load, from one row a month. A system that fell silent keeps the window it had.
with
windows as (
    select
        source_system,
        max(last_order_date) as as_of_date,
        {{ basket_window_start('max(month_start_date)') }} as window_start_date
    from {{ ref('basket_months') }}
    group by source_system
)

select
    windows.source_system,
    windows.as_of_date,
    cast(windows.window_start_date as date) as window_start_date,
    cast(sum(months.baskets) as bigint) as baskets
from windows
inner join {{ ref('basket_months') }} as months
    on windows.source_system = months.source_system
    and windows.window_start_date <= months.month_start_date
group by windows.source_system, windows.as_of_date, windows.window_start_date
