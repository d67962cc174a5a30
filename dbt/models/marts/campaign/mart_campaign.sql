-- One row per campaign: whom it reached, what came back, what it cost and what it earned.
-- Additive: contacts, redemptions, cost. Not additive: people, rates, returns; days of campaigns overlap.
-- A load makes the campaigns anew that its contacts, redemptions, costs, orders or links touch, and those that run.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_campaigns() }}",
) }}

with
campaigns as (
    select * from {{ ref('measured_campaigns') }}
),

people as (
    select
        people.campaign_durable_key,
        count(case when people.contact_group is not null then 1 end) as people_chosen,
        count(case when people.contacts > 0 then 1 end) as people_contacted,
        count(case when people.contact_group = 'holdout' then 1 end) as people_held_out,
        count(case when people.contact_group = '(several)' then 1 end) as people_on_both_sides,
        -- none where the source tells of none
        nullif(count(case when people.contacts > 0 and people.has_responded then 1 end), 0) as responders,
        count(people.redemptions) as redeemers,
        sum(case when people.redemptions is not null then people.net_sales end) as redeemers_net_sales
    from {{ ref('mart_campaign_person') }} as people
    inner join campaigns on people.campaign_durable_key = campaigns.campaign_durable_key
    group by people.campaign_durable_key
),

contacts as (
    select
        contacts.campaign_durable_key,
        count(case when contacts.contact_group = 'treated' then 1 end) as contacts,
        sum(case when contacts.is_delivered then 1 when contacts.is_delivered is not null then 0 end) as delivered,
        sum(case when contacts.is_opened then 1 when contacts.is_opened is not null then 0 end) as opened,
        sum(case when contacts.is_clicked then 1 when contacts.is_clicked is not null then 0 end) as clicked
    from {{ ref('campaign_contacts_of_people') }} as contacts
    inner join campaigns on contacts.campaign_durable_key = campaigns.campaign_durable_key
    group by contacts.campaign_durable_key
),

redemptions as (
    select redemptions.campaign_durable_key, count(*) as redemptions
    from {{ ref('redemptions_of_people') }} as redemptions
    inner join campaigns on redemptions.campaign_durable_key = campaigns.campaign_durable_key
    group by redemptions.campaign_durable_key
),

coupons as (
    select campaign_durable_key from {{ ref('dim_coupon') }}
    union
    select campaign_durable_key from redemptions
),

costs as (
    select campaign_durable_key, sum(cost_amount) as cost
    from {{ ref('fct_campaign_cost') }}
    group by campaign_durable_key
),

effects as (
    select
        {%- for outcome, name in [('spend', 'net_sales'), ('margin', 'margin')] %}
        {%- for end in ['', '_low', '_high'] %}
        max(case when effects.outcome = '{{ outcome }}' then effects.difference{{ end }} * effects.treated_people end)
            as incremental_{{ name }}{{ end }},
        {%- endfor %}
        {%- endfor %}
        effects.campaign_durable_key
    from {{ ref('mart_campaign_effect') }} as effects
    inner join campaigns on effects.campaign_durable_key = campaigns.campaign_durable_key
    where effects.arm = '(all)' and effects.segment_kind = '(all)'
    group by effects.campaign_durable_key
),

described as (
    select
        campaigns.*,
        dimension.campaign_id, dimension.campaign_name, dimension.campaign_type, dimension.objective,
        dimension.channel, dimension.start_date, dimension.end_date,
        coupons.campaign_durable_key is not null as has_coupons
    from campaigns
    inner join {{ ref('dim_campaign') }} as dimension
        on campaigns.campaign_durable_key = dimension.campaign_durable_key
    left join coupons on campaigns.campaign_durable_key = coupons.campaign_durable_key
    where dimension.is_current
)

select
    described.campaign_durable_key, described.source_system, described.campaign_id, described.campaign_name,
    described.campaign_type, described.objective, described.channel, described.start_date, described.end_date,
    case when people.people_chosen > 0 then people.people_contacted end as people_contacted,
    cast(contacts.contacts as bigint) as contacts,
    case when people.people_chosen > 0 then people.people_held_out end as people_held_out,
    case when people.people_chosen > 0 then people.people_on_both_sides end as people_on_both_sides,
    cast(contacts.delivered as bigint) as delivered,
    cast(contacts.opened as bigint) as opened,
    cast(contacts.clicked as bigint) as clicked,
    people.responders,
    cast(people.responders / nullif(cast(people.people_contacted as double), 0) as double) as response_rate,
    case when described.has_coupons then coalesce(redemptions.redemptions, 0) end as redemptions,
    case when described.has_coupons then coalesce(people.redeemers, 0) end as redeemers,
    cast(
        case when described.has_coupons then coalesce(people.redeemers, 0) end
        / nullif(people.people_contacted, 0) as double
    ) as redemption_rate,
    cast(people.redeemers_net_sales as decimal(19, 4)) as redeemers_net_sales,
    cast(costs.cost as decimal(19, 4)) as cost,
    cast(round(costs.cost / nullif(contacts.contacts, 0), 4) as decimal(19, 4)) as cost_per_contact,
    cast(round(costs.cost / nullif(people.responders, 0), 4) as decimal(19, 4)) as cost_per_response,
    described.compare_from, described.window_start, described.window_end, described.measured_until,
    described.is_complete,
    described.method, described.unmeasured_because as effect_unmeasured_because,
    {%- for name in ['net_sales', 'margin'] %}
    cast(round(effects.incremental_{{ name }}, 4) as decimal(19, 4)) as incremental_{{ name }},
    {%- endfor %}
    {%- for name, ratio in [('margin', 'roi'), ('net_sales', 'roi_on_net_sales')] %}
    {%- for end in ['', '_low', '_high'] %}
    cast(
        effects.incremental_{{ name }}{{ end }} / nullif(cast(costs.cost as double), 0) - 1 as double
    ) as {{ ratio }}{{ end }},
    {%- endfor %}
    {%- endfor %}
    case
        when costs.cost is null then 'the cost of the campaign is not known'
        when costs.cost = 0 then 'the campaign cost nothing'
        when described.method is null then described.unmeasured_because
        when effects.incremental_margin is null and described.margin_source is null
            then 'there are no orders in the days of the campaign, so no margin'
        when effects.incremental_margin is null then 'the cost of what was sold is not known of all of it'
    end as roi_unmeasured_because
from described
left join people on described.campaign_durable_key = people.campaign_durable_key
left join contacts on described.campaign_durable_key = contacts.campaign_durable_key
left join redemptions on described.campaign_durable_key = redemptions.campaign_durable_key
left join costs on described.campaign_durable_key = costs.campaign_durable_key
left join effects on described.campaign_durable_key = effects.campaign_durable_key
