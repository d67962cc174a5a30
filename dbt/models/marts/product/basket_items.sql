-- One row per item that reaches its level's minimum support in the window of its source system.
-- Not additive: a basket holds several items. support is baskets / all_baskets.
-- Made whole each load, from counts by month. Names are those of the product's newest version that has the item.
with
counted as (
    select
        months.source_system,
        months.item_level,
        months.item_key,
        windows.as_of_date,
        windows.window_start_date,
        levels.min_support,
        windows.baskets as all_baskets,
        cast(sum(months.baskets) as bigint) as baskets
    from {{ ref('basket_item_months') }} as months
    inner join {{ ref('basket_windows') }} as windows
        on months.source_system = windows.source_system
        and months.month_start_date >= windows.window_start_date
    inner join {{ ref('basket_levels') }} as levels on months.item_level = levels.item_level
    group by
        months.source_system, months.item_level, months.item_key, windows.as_of_date, windows.window_start_date,
        levels.min_support, windows.baskets
    having sum(months.baskets) >= levels.min_support * windows.baskets
),

named as (
    {%- for level, columns in basket_item_columns().items() %}
    select
        item_key,
        {{ 'cast(null as string)' if level == 'brand' else 'department' }} as department,
        {{ columns[-1] }} as item,
        {{ 'coalesce(product_name, product_id)' if level == 'product' else columns[-1] }} as item_name,
        valid_from
    from ({{ basket_members(level) }}) as members
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

newest as (
    select
        item_key,
        max_by(department, valid_from) as department,
        max(item) as item,
        max_by(item_name, valid_from) as item_name
    from named
    group by item_key
)

select
    counted.source_system,
    counted.item_level,
    counted.item_key,
    newest.department,
    newest.item,
    newest.item_name,
    counted.as_of_date,
    counted.window_start_date,
    counted.all_baskets,
    counted.baskets,
    cast(cast(counted.baskets as double) / nullif(cast(counted.all_baskets as double), 0) as double) as support
from counted
inner join newest on counted.item_key = newest.item_key
