-- One row per campaign that tonight computes anew: its days, where each outcome is read, and how its effect is told.
-- No measures. A campaign that runs is measured up to its system's newest order; one without an end for 30 days from
-- the last assignment. Before is as many days before it as it has been running.
with
newest as (
    select customers.source_system, max(orders.order_date) as order_date
    from {{ ref('sales_orders') }} as orders
    inner join {{ ref('dim_customer') }} as customers on orders.customer_key = customers.customer_key
    group by customers.source_system
),

tonight as (
    {{ touched_campaigns() }}
),

contacts as (
    select
        contacts.campaign_durable_key,
        min(contacts.assigned_date) as first_assigned,
        max(contacts.assigned_date) as last_assigned,
        count(case when contacts.contact_group = 'treated' then 1 end) as treated,
        count(case when contacts.contact_group = 'holdout' then 1 end) as held_out,
        count(contacts.is_visited) as visits_told,
        count(contacts.is_converted) as conversions_told,
        count(contacts.outcome_amount) as spends_told
    from {{ ref('campaign_contacts_of_people') }} as contacts
    inner join tonight on contacts.campaign_durable_key = tonight.campaign_durable_key
    group by contacts.campaign_durable_key
),

planned as (
    select
        campaigns.campaign_durable_key, campaigns.source_system,
        coalesce(campaigns.start_date, contacts.first_assigned) as window_start,
        coalesce(campaigns.end_date, {{ add_days('contacts.last_assigned', 29) }}) as window_end,
        newest.order_date as newest_order_date,
        coalesce(contacts.treated, 0) as treated,
        coalesce(contacts.held_out, 0) as held_out,
        coalesce(contacts.visits_told, 0) > 0 as has_visits,
        coalesce(contacts.conversions_told, 0) > 0 as has_conversions,
        coalesce(contacts.spends_told, 0) > 0 as has_spends
    from {{ ref('dim_campaign') }} as campaigns
    inner join tonight on campaigns.campaign_durable_key = tonight.campaign_durable_key
    left join contacts on campaigns.campaign_durable_key = contacts.campaign_durable_key
    left join newest on campaigns.source_system = newest.source_system
    where campaigns.is_current
),

run as (
    select *, case when newest_order_date < window_end then newest_order_date else window_end end as measured_until
    from planned
),

compared as (
    select
        *,
        {{ add_days('window_start', '-1 - ' ~ days_from('window_start', 'measured_until')) }} as compare_from
    from run
),

-- days on which a system sold anything: where it did not, nobody's orders say a thing
order_days as (
    select distinct customers.source_system, orders.order_date
    from {{ ref('sales_orders') }} as orders
    inner join {{ ref('dim_customer') }} as customers on orders.customer_key = customers.customer_key
    where orders.order_date >= (select {{ add_days('min(compare_from)', -6) }} from compared)
),

sold as (
    select
        compared.campaign_durable_key,
        max(case when order_days.order_date >= compared.compare_from then 1 else 0 end) = 1 as has_orders,
        max(case when order_days.order_date <= compared.compare_from then 1 else 0 end) = 1 as has_orders_before
    from compared
    inner join order_days
        on compared.source_system = order_days.source_system
        and {{ add_days('compared.compare_from', -6) }} <= order_days.order_date
        and compared.measured_until >= order_days.order_date
    group by compared.campaign_durable_key
)

select
    compared.campaign_durable_key, compared.source_system,
    compared.compare_from, compared.window_start, compared.window_end, compared.measured_until,
    -- where a system has no orders, what comes with the contacts waits for none
    coalesce(compared.newest_order_date > compared.window_end, true) as is_complete,
    case when compared.has_visits then 'contact' when sold.has_orders then 'orders' end as visits_source,
    case when compared.has_conversions then 'contact' when sold.has_orders then 'orders' end as conversion_source,
    case when compared.has_spends then 'contact' when sold.has_orders then 'orders' end as spend_source,
    case when sold.has_orders then 'orders' end as margin_source,
    case
        when compared.treated = 0 then null
        when compared.held_out > 0 then 'holdout'
        when sold.has_orders and sold.has_orders_before and compared.measured_until >= compared.window_start
            then 'before_after_matched'
    end as method,
    case
        when compared.treated = 0 then 'nobody was contacted, as far as the sources tell'
        when compared.held_out > 0 then null
        when sold.has_orders is null or not sold.has_orders or compared.measured_until < compared.window_start
            then 'there is no holdout, and there are no orders in the days of the campaign'
        when not sold.has_orders_before
            then 'there is no holdout, and orders do not reach back as far before the campaign as it lasted'
    end as unmeasured_because
from compared
left join sold on compared.campaign_durable_key = sold.campaign_durable_key
