-- One row per month in which someone bought who, by today's links between customers, is another person than at the last
-- load. Empty on nearly every night. Read before the cubes count people anew.
{%- set orders = adapter.get_relation(target.database, generate_schema_name('cube', model), 'sales_orders') if execute else none %}

{%- if orders and not rebuilt('sales_orders') %}
select distinct orders.month_start_date
from {{ orders }} as orders
inner join {{ ref('bridge_identity') }} as identity
    on orders.customer_durable_key = identity.customer_durable_key
    and identity.is_current
where orders.mastered_customer_key <> identity.mastered_customer_key
{%- else %}
select {{ first_day() }} as month_start_date
from {{ ref('bridge_identity') }}
where false
{%- endif %}
