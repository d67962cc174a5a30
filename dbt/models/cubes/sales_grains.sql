-- One row per grain and cell, for grains that reach across months (column `grain`; declared in macros/cube.sql).
-- Additive within one grain only, and orders and buyers not even there. Read the views cube.sales_by_<grain>.
-- Made whole each load: grains by product from people's months and the months' grains, the others from the orders.
{{ config(post_hook="{{ create_sales_views() }}") }}

{%- for grain, declared in sales_grains().items() %}

{{ rolled_up(
    grain, declared, sales_measures(counted=counts_of(declared)), source=ref(declared.get('table', 'sales_orders')),
    day=declared.get('day', 'order_date'), where=declared.get('where', 'true'),
) }}
{{ "union all" if not loop.last }}
{%- endfor %}
