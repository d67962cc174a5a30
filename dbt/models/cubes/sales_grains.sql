-- One row per grain and cell, for grains that reach across months (column `grain`; declared in macros/cube.sql).
-- Additive within one grain only, and orders and buyers not even there. Read the views cube.sales_by_<grain>.
-- Made whole each load: grains by product from those of the months, the others from the orders, a tenth of the lines.
{{ config(post_hook="{{ create_sales_views() }}") }}

{%- for grain, declared in sales_grains().items() %}
{%- set summed = 'source' in declared %}

{{ rolled_up(
    grain, declared, sales_measures(counts='null' if summed else 'counted'),
    source=ref('sales_month_grains') if summed else ref('sales_orders'),
    day='period_start_date' if summed else 'order_date',
    where="grain = '" ~ declared.source ~ "'" if summed else 'true',
) }}
{{ "union all" if not loop.last }}
{%- endfor %}
