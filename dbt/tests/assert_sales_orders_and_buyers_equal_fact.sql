-- Rows mean that the cube counts other orders or other people in a month than the lines: in the cuboid of orders, in
-- that of people, or in the month's own grain.
with
facts as (
    select
        {{ first_of('month', 'order_date') }} as month_start_date,
        count(distinct order_id) as orders,
        count(distinct case when mastered_customer_key > 0 then mastered_customer_key end) as buyers
    from {{ ref('sales_lines') }}
    where {{ in_tested_months('order_date') }}
    group by {{ first_of('month', 'order_date') }}
),

cuboid_orders as (
    select
        month_start_date,
        count(distinct order_id) as orders,
        count(distinct case when mastered_customer_key > 0 then mastered_customer_key end) as buyers
    from {{ ref('sales_orders') }}
    where {{ in_tested_months('order_date') }}
    group by month_start_date
),

cuboid_people as (
    select
        month_start_date,
        count(distinct case when mastered_customer_key > 0 then mastered_customer_key end) as buyers
    from {{ ref('sales_customer_months') }}
    where {{ in_tested_months('month_start_date') }}
    group by month_start_date
),

grains as (
    select month_start_date, orders, buyers
    from {{ ref('sales_month_grains') }}
    where grain = 'month' and {{ in_tested_months('month_start_date') }}
)

select
    facts.month_start_date,
    facts.orders,
    cuboid_orders.orders as cuboid_orders,
    grains.orders as grain_orders,
    facts.buyers,
    cuboid_orders.buyers as cuboid_buyers,
    cuboid_people.buyers as people,
    grains.buyers as grain_buyers
from facts
left join cuboid_orders on facts.month_start_date = cuboid_orders.month_start_date
left join cuboid_people on facts.month_start_date = cuboid_people.month_start_date
left join grains on facts.month_start_date = grains.month_start_date
where
    facts.orders is distinct from cuboid_orders.orders
    or facts.orders is distinct from grains.orders
    or facts.buyers is distinct from cuboid_orders.buyers
    or facts.buyers is distinct from cuboid_people.buyers
    or facts.buyers is distinct from grains.buyers
