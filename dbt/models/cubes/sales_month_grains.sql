-- One row per grain and cell, for grains that lie within one month (column `grain`; declared in macros/cube.sql).
-- Additive within one grain only, and orders and buyers not even there. Read the views cube.sales_by_<grain>: summing
-- this table counts every grain. '(all)' is a dimension rolled up, '(unknown)' a member not known.
-- A load re-aggregates the months it touches: grains by product from the lines, the others from the orders.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_sales_months() }}",
) }}

{%- set restated = in_sales_months('order_date') %}
{%- for grain, declared in sales_month_grains().items() %}
{% if 'department' in declared.by %}
{{ rolled_up_products(grain, declared) }}
{%- else %}
{{ rolled_up(
    grain, declared, sales_measures(counted=counts_of(declared)), source=ref('sales_orders'), day='order_date',
    where=restated, within_month=true,
) }}
{%- endif %}
{{ "union all" if not loop.last }}
{%- endfor %}
