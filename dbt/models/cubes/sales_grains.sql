-- One row per grain and cell, for grains that reach across months (column `grain`; declared in macros/cube.sql).
-- Additive within one grain only, and orders and buyers not even there. Read the views cube.sales_by_<grain>.
-- Grains by product come from people's months and the months' grains, the others from the orders. A load makes the
-- years, quarters and weeks it touches anew, and what is over all periods.
{{ config(post_hook="{{ create_sales_views() }}") }}

{%- set kept = kept_grains() %}

{%- for grain, declared in sales_grains().items() %}
{%- set counted = counts_of(declared) %}
{%- set by_period = declared.period != 'all' %}

{{ rolled_up(
    grain, declared, sales_measures(counted=counted), source=ref(declared.get('table', 'sales_orders')),
    day=declared.get('day', 'order_date'),
    where=in_sales_periods(declared.period, 'order_date') if by_period else declared.get('where', 'true'),
) }}
{%- if kept and by_period %}
union all
select
    {{ cell_columns() }}
from {{ kept }}
where grain = '{{ grain }}' and not {{ in_sales_periods(declared.period, 'period_start_date') }}
{%- endif %}
{{ "union all" if not loop.last }}
{%- endfor %}
