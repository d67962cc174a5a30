-- One row per campaign without a holdout and person who bought before it: what it brought in as many days before,
-- and during. Additive: all measures. `stratum`: the tenth the person's spend before lies in, equal spends together.
-- People contacted, and all who had nothing to do with the campaign, to compare with; tonight's campaigns only.
with
campaigns as (
    select *
    from {{ ref('measured_campaigns') }}
    where method = 'before_after_matched'
),

bought as (
    select
        campaigns.campaign_durable_key,
        campaigns.compare_from,
        orders.mastered_customer_key,
        min(orders.customer_durable_key) as customer_durable_key,
        {%- for period, sign in [('before', '<'), ('during', '>=')] %}
        {%- set there = 'case when orders.order_date ' ~ sign ~ ' campaigns.window_start then ' %}
        count(distinct {{ there }} orders.order_id end) as orders_{{ period }},
        coalesce(sum({{ there }} orders.net_sales end), 0) as spend_{{ period }},
        coalesce(sum({{ there }} orders.costed_sales - orders.cost end), 0) as margin_{{ period }},
        {%- endfor %}
        sum(orders.net_sales - coalesce(orders.costed_sales, 0)) as uncosted_sales
    from campaigns
    inner join {{ ref('dim_customer') }} as customers on campaigns.source_system = customers.source_system
    inner join {{ ref('sales_orders') }} as orders
        on customers.customer_key = orders.customer_key
        and campaigns.compare_from <= orders.order_date
        and campaigns.measured_until >= orders.order_date
    where orders.mastered_customer_key > 0
    group by campaigns.campaign_durable_key, campaigns.compare_from, orders.mastered_customer_key
),

compared as (
    select
        bought.*,
        coalesce(people.contact_group, 'compared') as side,
        people.arm
    from bought
    left join {{ ref('mart_campaign_person') }} as people
        on bought.campaign_durable_key = people.campaign_durable_key
        and bought.mastered_customer_key = people.mastered_customer_key
    where
        bought.orders_before > 0
        -- who redeems without having been chosen was reached all the same
        and (people.mastered_customer_key is null or people.contact_group = 'treated')
),

ranked as (
    select
        *,
        rank() over (partition by campaign_durable_key order by spend_before nulls last) - 1 as spending_less,
        count(*) over (partition by campaign_durable_key) as people,
        max(uncosted_sales) over (partition by campaign_durable_key) as most_uncosted,
        min(uncosted_sales) over (partition by campaign_durable_key) as least_uncosted
    from compared
)

select
    campaign_durable_key, mastered_customer_key, customer_durable_key, compare_from, side, arm,
    cast(floor(10 * spending_less / nullif(people, 0)) as integer) as stratum,
    cast(orders_before as decimal(18, 4)) as visits_before,
    cast(orders_during as decimal(18, 4)) as visits_during,
    cast(1 as decimal(18, 4)) as conversion_before,
    cast(case when orders_during > 0 then 1 else 0 end as decimal(18, 4)) as conversion_during,
    cast(spend_before as decimal(18, 4)) as spend_before,
    cast(spend_during as decimal(18, 4)) as spend_during,
    cast(case when most_uncosted = 0 and least_uncosted = 0 then margin_before end as decimal(18, 4)) as margin_before,
    cast(case when most_uncosted = 0 and least_uncosted = 0 then margin_during end as decimal(18, 4)) as margin_during
from ranked
