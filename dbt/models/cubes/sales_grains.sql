-- One row per grain and cell, for grains that reach across months (column `grain`; declared in macros/cube.sql).
-- Additive within one grain only. Read the views cube.sales_by_<grain>: summing this table counts every grain.
-- Summed whole each load from the finer grains, a few thousand rows a year, so late data needs no special care.
{{ config(post_hook="{{ create_sales_views() }}") }}

{%- set dimensions = sales_dimensions() %}
{%- set measures = sales_measures() %}

{%- for grain, declared in sales_grains().items() %}

{{ rolled_up(
    grain, declared, dimensions, measures,
    source=ref('sales_month_grains'), day='period_start_date', where="grain = '" ~ declared.source ~ "'",
) }}
{{ "union all" if not loop.last }}
{%- endfor %}
