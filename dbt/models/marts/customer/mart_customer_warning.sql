-- One row per customer who may be leaving, the most valuable first: overdue by the own rhythm, buying ever less, or
-- hardly to come again by a fitted model of worth (the rule of thumb, which stands in for one, raises no alarm).
-- Additive: value_12_months, the value at risk. Who is lost already, or told to have left, is not here.
-- Made whole each load.
{%- set rules = customer_rules() %}
with
judged as (
    select
        *,
        state = 'warning' as is_overdue,
        coalesce(trend = 'falling', false) as is_falling,
        coalesce(p_alive < {{ rules.doubtful_below }} and worth_told_by <> 'fallback', false) as is_doubtful
    from {{ ref('mart_customer_360') }}
    where state in ('warning', 'stable', 'high value') and customer_kind <> 'former'
)

select
    cast(
        row_number() over (order by value_12_months desc nulls last, mastered_customer_key asc nulls last) as bigint
    ) as warning_rank,
    mastered_customer_key, as_of_date, value_basis, value_12_months, pyramid_tier, state, trend,
    last_order_date, recency_days, mean_interval_days, orders_12_months,
    {{ ratio('recency_days', 'mean_interval_days') }} as intervals_overdue,
    p_alive, expected_present_value,
    case
        when is_overdue
            then 'no order for ' || cast(recency_days as string) || ' days, where one came every '
                || coalesce(cast(cast(round(mean_interval_days, 0) as integer) as string), '(unknown)')
        else ''
    end
    || case when is_overdue and (is_falling or is_doubtful) then '; ' else '' end
    || case
        when is_falling then 'bought for less than {{ (100 * rules.falling_below) | int }} % of the three months before'
        else ''
    end
    || case when is_falling and is_doubtful then '; ' else '' end
    || case
        when is_doubtful
            then 'will buy again with a probability of '
                || cast(cast(round(100 * p_alive, 0) as integer) as string) || ' %'
        else ''
    end as reason
from judged
where is_overdue or is_falling or is_doubtful
