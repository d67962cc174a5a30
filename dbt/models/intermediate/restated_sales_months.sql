-- One row per month whose sales this load sums anew: months of its order lines, of lines whose customer or product
-- changed, and those in which someone bought who, by today's links between customers, is another person than before.
-- A table, for some twenty models ask for it: each time anew was 164 joins with the fact on a night with changes.
{%- set orders = built_table('cube', 'sales_orders') %}
{#- outside the condition, so that dbt sees the edge when it parses #}
{%- set links = ref('bridge_identity') %}

with
months as (
    {{ restated_months(
        ref('fct_sales_line'), 'order_date', 'order_lines', {'customer': 'customers', 'product': 'products'}
    ) }}
    {%- if orders is not none and not rebuilt('sales_orders') %}
    union all
    select orders.month_start_date
    from {{ orders }} as orders
    inner join {{ links }} as links
        on orders.customer_durable_key = links.customer_durable_key
        and links.is_current
    where orders.mastered_customer_key <> links.mastered_customer_key
    {%- endif %}
)

select distinct month_start_date
from months
