-- One row per campaign and person: chosen for it, or one who handed in a coupon of it.
-- Additive over people: all measures. Over campaigns only contacts and redemptions: windows overlap.
-- A load makes the campaigns anew that its contacts, redemptions, costs, orders or links touch; the others stay.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_campaigns() }}",
) }}

with
campaigns as (
    select * from {{ ref('measured_campaigns') }}
),

chosen as (
    select
        contacts.campaign_durable_key,
        contacts.mastered_customer_key,
        min(contacts.customer_durable_key) as customer_durable_key,
        min(contacts.assigned_date) as assigned_date,
        min(contacts.contact_group) as contact_group,
        count(distinct contacts.contact_group) as contact_groups,
        min(case when contacts.contact_group = 'treated' then contacts.arm end) as arm,
        count(distinct case when contacts.contact_group = 'treated' then coalesce(contacts.arm, '') end) as arms,
        count(case when contacts.contact_group = 'treated' then 1 end) as contacts,
        max(case when contacts.responded_at is not null then 1 end) as responded,
        max(case when contacts.is_visited then 1 when not contacts.is_visited then 0 end) as visited,
        max(case when contacts.is_converted then 1 when not contacts.is_converted then 0 end) as converted,
        sum(contacts.outcome_amount) as outcome_amount
    from {{ ref('campaign_contacts_of_people') }} as contacts
    inner join campaigns on contacts.campaign_durable_key = campaigns.campaign_durable_key
    where contacts.mastered_customer_key > 0
    group by contacts.campaign_durable_key, contacts.mastered_customer_key
),

redeemed as (
    select
        redemptions.campaign_durable_key,
        redemptions.mastered_customer_key,
        min(redemptions.customer_durable_key) as customer_durable_key,
        count(*) as redemptions
    from {{ ref('redemptions_of_people') }} as redemptions
    inner join campaigns on redemptions.campaign_durable_key = campaigns.campaign_durable_key
    where redemptions.mastered_customer_key > 0
    group by redemptions.campaign_durable_key, redemptions.mastered_customer_key
),

people as (
    select
        coalesce(chosen.campaign_durable_key, redeemed.campaign_durable_key) as campaign_durable_key,
        coalesce(chosen.mastered_customer_key, redeemed.mastered_customer_key) as mastered_customer_key,
        coalesce(chosen.customer_durable_key, redeemed.customer_durable_key) as customer_durable_key,
        case when chosen.contact_groups > 1 then '(several)' else chosen.contact_group end as contact_group,
        case when chosen.arms > 1 then '(several)' else chosen.arm end as arm,
        chosen.assigned_date, chosen.contacts, chosen.responded, chosen.visited, chosen.converted,
        chosen.outcome_amount,
        redeemed.redemptions
    from chosen
    full outer join redeemed
        on chosen.campaign_durable_key = redeemed.campaign_durable_key
        and chosen.mastered_customer_key = redeemed.mastered_customer_key
),

bought as (
    select
        people.campaign_durable_key,
        people.mastered_customer_key,
        count(distinct orders.order_id) as orders,
        sum(orders.net_sales) as net_sales,
        sum(orders.net_sales - coalesce(orders.costed_sales, 0)) as uncosted_sales,
        sum(orders.costed_sales - orders.cost) as costed_margin
    from people
    inner join campaigns on people.campaign_durable_key = campaigns.campaign_durable_key
    inner join {{ ref('sales_orders') }} as orders
        on people.mastered_customer_key = orders.mastered_customer_key
        and coalesce(people.assigned_date, campaigns.window_start) <= orders.order_date
        and campaigns.measured_until >= orders.order_date
    group by people.campaign_durable_key, people.mastered_customer_key
)

select
    people.campaign_durable_key,
    people.mastered_customer_key,
    people.customer_durable_key,
    people.contact_group,
    people.arm,
    people.assigned_date,
    coalesce(people.contacts, 0) as contacts,
    people.responded = 1 as has_responded,
    people.redemptions,
    cast(case when campaigns.margin_source = 'orders' then coalesce(bought.orders, 0) end as bigint) as orders,
    cast(case when campaigns.margin_source = 'orders' then coalesce(bought.net_sales, 0) end as decimal(19, 4))
        as net_sales,
    cast(case
        when campaigns.visits_source = 'contact' then people.visited
        when campaigns.visits_source = 'orders' then coalesce(bought.orders, 0)
    end as bigint) as visits,
    cast(case
        when campaigns.conversion_source = 'contact' then people.converted
        when campaigns.conversion_source = 'orders' then case when bought.orders > 0 then 1 else 0 end
    end as integer) as conversion,
    cast(case
        when campaigns.spend_source = 'contact' then people.outcome_amount
        when campaigns.spend_source = 'orders' then coalesce(bought.net_sales, 0)
    end as decimal(19, 4)) as spend,
    cast(case
        when campaigns.margin_source = 'orders' and coalesce(bought.uncosted_sales, 0) = 0
            then coalesce(bought.costed_margin, 0)
    end as decimal(19, 4)) as margin
from people
inner join campaigns on people.campaign_durable_key = campaigns.campaign_durable_key
left join bought
    on people.campaign_durable_key = bought.campaign_durable_key
    and people.mastered_customer_key = bought.mastered_customer_key
