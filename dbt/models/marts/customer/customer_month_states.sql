-- One row per person and month in which anything told here changed; it holds until the person's next row.
-- No additive measures: read fct_customer_month, which has a row for each month.
-- A late order makes all months from its own on anew, as ranks compare everybody; most nights make the open month anew.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_restated_months() }}",
) }}
{%- set rules = customer_rules() %}
{%- set told = [
    'first_order_date', 'last_order_date', 'order_days_to_date', 'orders_to_date', 'net_sales_to_date',
    'orders_12_months', 'net_sales_12_months', 'margin_12_months', 'value_basis', 'recency_score', 'frequency_score',
    'monetary_score', 'rfm_segment', 'pyramid_tier', 'trend', 'lifecycle', 'state',
] %}

with
ranked as (
    select
        *,
        count(*) over (partition by month_start_date, is_active) as members,
        rank() over (partition by month_start_date, is_active order by last_order_date nulls last) as recency_rank,
        rank() over (partition by month_start_date, is_active order by orders_12_months nulls last) as frequency_rank,
        rank() over (partition by month_start_date, is_active order by net_sales_12_months nulls last) as monetary_rank,
        rank() over (partition by month_start_date, is_active order by value_12_months desc nulls last) as value_rank
    from {{ ref('customer_month_measures') }}
    where {{ in_restated_months('month_start_date', earlier=1) }}
),

scored as (
    select
        *,
        case when is_active then {{ fifth_of('recency_rank', 'members') }} end as recency_score,
        case when is_active then {{ fifth_of('frequency_rank', 'members') }} end as frequency_score,
        case when is_active then {{ fifth_of('monetary_rank', 'members') }} end as monetary_score,
        {{ decided_trend() }} as decided
    from ranked
),

trends_before as (
    {{ trends_before_restated_months() }}
),

remembered as (
    select
        scored.*,
        max(scored.decided) over (
            partition by scored.mastered_customer_key order by scored.month_start_date nulls last
            rows between unbounded preceding and current row
        ) as last_decided,
        trends_before.trend as kept_trend
    from scored
    left join trends_before on scored.mastered_customer_key = trends_before.mastered_customer_key
),

trending as (
    select
        *,
        coalesce({{ trend_of('last_decided') }}, kept_trend) as trend
    from remembered
),

placed as (
    select
        trending.*,
        segments.rfm_segment,
        tiers.pyramid_tier,
        case
            when
                trending.recency_days > {{ rules.lost_after_days }}
                or trending.trend = 'falling' then 'decline'
            when trending.order_days_to_date < {{ rules.exploration_order_days }} then 'exploration'
            when trending.trend = 'steady' then 'stability'
            else 'formation'
        end as lifecycle,
        case
            when trending.recency_days > {{ rules.lost_after_days }} then 'lost'
            when
                trending.recency_days > {{ rules.warning_after_days }}
                and trending.recency_days
                > {{ rules.warning_intervals }} * coalesce(trending.mean_interval_days, 0) then 'warning'
            when tiers.pyramid_tier <= {{ rules.high_value_tier }} then 'high value'
            else 'stable'
        end as state
    from trending
    left join {{ ref('rfm_segments') }} as segments
        on trending.recency_score = segments.recency_score
        and trending.frequency_score = segments.frequency_score
    left join {{ ref('pyramid_tiers') }} as tiers
        on trending.is_active
        and (trending.value_rank - 1) * 100 >= tiers.from_percent * trending.members
        and (trending.value_rank - 1) * 100 < tiers.to_percent * trending.members
),

compared as (
    select
        *,
        {{ values_before(['month_start_date'] + told) }}
    from placed
)

select
    month_start_date,
    mastered_customer_key,
    {{ told | join(', ') }}
from compared
where {{ in_restated_months('month_start_date') }} and ({{ differs_from_before(told) }})
order by month_start_date, mastered_customer_key
