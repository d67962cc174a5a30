-- One row per source system, level, month and item bought: a department, category or product, as basket_levels says.
-- Additive over months: baskets, the orders that hold the item. Not over items: a basket holds several.
-- A load counts the months anew that its lines, changed members or changed links between customers touch.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}
{%- set levels = basket_item_columns() %}

{%- for level in levels %}
select
    source_system,
    '{{ level }}' as item_level,
    month_start_date,
    item_key,
    cast(count(*) as bigint) as baskets
from ({{ basket_contents(level, in_sales_months('lines.order_date')) }}) as contents
group by source_system, month_start_date, item_key
{{ "union all" if not loop.last }}
{%- endfor %}
