-- One row per person who ordered: how often, how lately, since when and for how much, as the models of worth need it.
-- As of the newest fit's day for those who were customers then, else of the newest day with orders. No measures to add.
-- A day with orders is one purchase (Fader, Hardie and Lee 2005); the first one makes a customer and is no repeat.
with
newest as (
    select
        max(orders.order_date) as newest_order_date,
        (select max(fits.as_of) from {{ ref('clv_fit') }} as fits) as fitted_as_of
    from {{ ref('sales_orders') }} as orders
),

days as (
    select mastered_customer_key, order_date, sum(net_sales) as net_sales
    from {{ ref('sales_orders') }}
    where mastered_customer_key > 0
    group by mastered_customer_key, order_date
),

people as (
    select
        firsts.mastered_customer_key,
        firsts.first_order_date,
        case
            when firsts.first_order_date <= newest.fitted_as_of then newest.fitted_as_of else newest.newest_order_date
        end as as_of_date
    from (
        select mastered_customer_key, min(order_date) as first_order_date
        from days
        group by mastered_customer_key
    ) as firsts
    cross join newest
)

select
    people.mastered_customer_key,
    people.as_of_date,
    people.first_order_date,
    cast(count(*) - 1 as bigint) as frequency,
    cast({{ days_from('people.first_order_date', 'max(days.order_date)') }} as bigint) as recency_days,
    cast({{ days_from('people.first_order_date', 'people.as_of_date') }} as bigint) as age_days,
    cast(
        count(case when days.order_date > people.first_order_date and days.net_sales > 0 then 1 end) as bigint
    ) as value_days,
    cast(
        coalesce(
            sum(case when days.order_date > people.first_order_date and days.net_sales > 0 then days.net_sales end), 0
        ) as decimal(19, 4)
    ) as value_amount
from people
inner join days
    on people.mastered_customer_key = days.mastered_customer_key
    and people.as_of_date >= days.order_date
group by people.mastered_customer_key, people.as_of_date, people.first_order_date
