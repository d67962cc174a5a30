-- One row per grain and cell, for grains that lie within one month (column `grain`; declared in macros/cube.sql).
-- Additive within one grain only. Read the views cube.sales_by_<grain>: summing this table counts every grain.
-- '(all)' is a dimension rolled up, '(unknown)' a member not known. A load re-aggregates the months it touches.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

{%- set dimensions = sales_dimensions() %}
{%- set measures = sales_measures() %}
{%- set touched = in_sales_months('order_date') %}

{%- for grain, declared in sales_month_grains().items() %}

{{ rolled_up(
    grain, declared, dimensions, measures,
    source=ref('sales_base'), day='order_date', where=touched, within_month=true,
) }}
{{ "union all" if not loop.last }}
{%- endfor %}
