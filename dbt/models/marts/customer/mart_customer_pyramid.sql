-- One row per month and tier of the customer pyramid: the top 1, 4, 15, 30 and 50 % of customers by value.
-- Additive over tiers within one month: customers, value, upgraded, downgraded, entered; over months nothing.
-- Months from the first one a load touches on are made anew, as tiers compare everybody.
-- The 80/20 check is cumulative_value_share of tier 3: what the top 20 % bring.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_restated_months() }}",
) }}

with
people as (
    select
        month_start_date, mastered_customer_key, pyramid_tier, value_basis, value_12_months,
        {{ values_before(['pyramid_tier']) }}
    from {{ ref('fct_customer_month') }}
    where {{ in_restated_months('month_start_date', earlier=1) }}
),

tiers as (
    select
        month_start_date,
        pyramid_tier,
        min(value_basis) as value_basis,
        cast(count(*) as bigint) as customers,
        cast(sum(value_12_months) as decimal(19, 4)) as value_12_months,
        cast(count(case when pyramid_tier < pyramid_tier_before then 1 end) as bigint) as upgraded,
        cast(count(case when pyramid_tier > pyramid_tier_before then 1 end) as bigint) as downgraded,
        cast(count(case when pyramid_tier_before is null then 1 end) as bigint) as entered
    from people
    where pyramid_tier is not null and {{ in_restated_months('month_start_date') }}
    group by month_start_date, pyramid_tier
),

shares as (
    select
        *,
        {{ share_of_month('customers') }} as customer_share,
        {{ share_of_month('value_12_months') }} as value_share,
        sum(value_12_months) over (partition by month_start_date) as value_of_month,
        sum(value_12_months) over (
            partition by month_start_date order by pyramid_tier nulls last
            rows between unbounded preceding and current row
        ) as value_so_far
    from tiers
)

select
    shares.month_start_date, shares.pyramid_tier, names.tier_name, names.tier_label, shares.value_basis,
    shares.customers, shares.value_12_months, shares.customer_share, shares.value_share,
    {{ ratio('shares.value_so_far', 'shares.value_of_month') }} as cumulative_value_share,
    shares.upgraded, shares.downgraded, shares.entered
from shares
inner join {{ ref('pyramid_tiers') }} as names on shares.pyramid_tier = names.pyramid_tier
