-- One row per combination of state, lifecycle, segment, tier and trend that occurs among the months of customers.
-- A junk dimension, read whole each load, so that a combination nobody has does not linger.
with
combinations as (
    select distinct state, lifecycle, coalesce(rfm_segment, 'lapsed') as rfm_segment, pyramid_tier, trend
    from {{ ref('customer_month_states') }}
)

select
    {{ customer_standing_key('combinations.') }} as customer_standing_key,
    combinations.state, combinations.lifecycle, combinations.rfm_segment,
    combinations.pyramid_tier, tiers.tier_name, combinations.trend
from combinations
left join {{ ref('pyramid_tiers') }} as tiers on combinations.pyramid_tier = tiers.pyramid_tier
