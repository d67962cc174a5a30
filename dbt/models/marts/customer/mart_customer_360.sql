-- One row per person known to any system: who they are, what they are worth, how they buy, what campaigns did.
-- Additive over people: the money, the orders, contacts, responses, redemptions. Figures are as of as_of_date.
-- Made whole each load: everybody's recency and rank move with the newest order.
with
newest as (
    select *
    from {{ ref('fct_customer_month') }}
    where month_start_date = (select max(months.month_start_date) from {{ ref('customer_months') }} as months)
),

components as (
    select mastered_customer_key, 'order value' as component, {{ place_of('net_sales_12_months') }} as place
    from newest
    union all
    select mastered_customer_key, 'profit contribution' as component, {{ place_of('margin_12_months') }} as place
    from newest
    union all
    select
        mastered_customer_key, 'prospects of growth' as component,
        cast(case trend when 'rising' then 1 when 'steady' then 0.5 when 'falling' then 0 end as double) as place
    from newest
),

-- credit standing has a weight and no source yet: what is not measured leaves its weight to the others
graded as (
    select
        components.mastered_customer_key,
        sum(weights.weight) as measured_weight,
        -- decimals add up to the same in any order
        sum(cast(cast(weights.weight as double) * components.place as decimal(18, 12))) as points
    from components
    inner join {{ ref('grade_weights') }} as weights on components.component = weights.component
    where components.place is not null
    group by components.mastered_customer_key
),

-- what they bought in the twelve months, and in how many departments: cross-buying
orders as (
    select
        activity.mastered_customer_key,
        {{ ratio('sum(activity.net_sales)', 'sum(activity.orders)') }} as average_order_value,
        {{ ratio('sum(activity.units)', 'sum(activity.orders)') }} as units_per_order,
        {{ ratio('sum(activity.gross_sales - activity.net_sales)', 'sum(activity.gross_sales)') }} as discount_share
    from {{ ref('customer_month_activity') }} as activity
    where activity.month_start_date > {{ a_year_before_newest_month() }}
    group by activity.mastered_customer_key
),

cross_buying as (
    select mastered_customer_key, cast(count(distinct department) as integer) as departments
    from {{ ref('sales_customer_months') }}
    where month_start_date > {{ a_year_before_newest_month() }}
    group by mastered_customer_key
),

departments as (
    {{ preferred(ref('sales_customer_months'), 'department', 'net_sales') }}
),

stores as (
    {{ preferred(ref('sales_customer_months'), 'store_key', 'net_sales') }}
),

weekdays as (
    {{ preferred(ref('customer_hours'), 'iso_weekday', 'orders') }}
),

hours as (
    {{ preferred(ref('customer_hours'), 'hour_of_day', 'orders') }}
),

-- nobody contacted is 0 where contacts are measured at all, and not known where they are not
measured as (
    select
        max(contacts) is not null as contacts,
        max(responses) is not null as responses,
        max(redemptions) is not null as redemptions
    from {{ ref('customer_campaigns') }}
)

select
    people.mastered_customer_key,
    people.customer_type, people.age_band, people.gender, people.income_band, people.household_size,
    people.city, people.region, people.country, people.consent, people.relationship_type,
    people.acquisition_source, people.first_seen_date, people.record_count, people.system_count,
    cast((select max(months.as_of_date) from {{ ref('customer_months') }} as months) as date) as as_of_date,
    newest.first_order_date, newest.last_order_date, newest.recency_days, newest.tenure_days,
    newest.mean_interval_days, newest.orders_to_date, newest.net_sales_to_date,
    newest.orders_12_months, newest.net_sales_12_months, newest.margin_12_months,
    newest.value_basis, newest.value_12_months,
    newest.recency_score, newest.frequency_score, newest.monetary_score, newest.rfm_segment,
    newest.pyramid_tier, tiers.tier_name, newest.trend, newest.lifecycle, newest.state,
    case
        when not departures.has_returned or newest.state = 'lost' then 'former'
        when newest.mastered_customer_key is null then 'potential'
        when newest.lifecycle = 'exploration' then 'new'
        when newest.rfm_segment in ('champion', 'loyal') then 'loyal'
        else 'existing'
    end as customer_kind,
    {{ value_matrix('newest') }} as value_matrix,
    100 * {{ ratio('graded.points', 'graded.measured_weight') }} as weighted_grade,
    cast(graded.measured_weight as decimal(5, 4)) as weighted_grade_measured,
    worth.p_alive, worth.expected_purchases_year, worth.expected_present_value, worth.told_by as worth_told_by,
    orders.average_order_value, orders.units_per_order, orders.discount_share, cross_buying.departments,
    departments.preferred as preferred_department,
    stores.preferred as preferred_store_key,
    weekdays.preferred as preferred_iso_weekday,
    hours.preferred as preferred_hour,
    case when measured.contacts then coalesce(campaigns.contacts, 0) end as contacts,
    case when measured.responses then coalesce(campaigns.responses, 0) end as responses,
    case when measured.redemptions then coalesce(campaigns.redemptions, 0) end as redemptions,
    campaigns.last_contacted_date, campaigns.last_campaign_id, campaigns.last_redeemed_date,
    departures.churned_date, departures.churn_type,
    cast('{{ var("load_id", "") }}' as string) as load_id
from {{ ref('dim_mastered_customer') }} as people
cross join measured
left join newest on people.mastered_customer_key = newest.mastered_customer_key
left join {{ ref('pyramid_tiers') }} as tiers on newest.pyramid_tier = tiers.pyramid_tier
left join graded on people.mastered_customer_key = graded.mastered_customer_key
left join {{ ref('mart_customer_value') }} as worth on people.mastered_customer_key = worth.mastered_customer_key
left join orders on people.mastered_customer_key = orders.mastered_customer_key
left join cross_buying on people.mastered_customer_key = cross_buying.mastered_customer_key
left join departments on people.mastered_customer_key = departments.mastered_customer_key
left join stores on people.mastered_customer_key = stores.mastered_customer_key
left join weekdays on people.mastered_customer_key = weekdays.mastered_customer_key
left join hours on people.mastered_customer_key = hours.mastered_customer_key
left join {{ ref('customer_departures') }} as departures
    on people.mastered_customer_key = departures.mastered_customer_key
left join {{ ref('customer_campaigns') }} as campaigns on people.mastered_customer_key = campaigns.mastered_customer_key
where people.mastered_customer_key > 0
