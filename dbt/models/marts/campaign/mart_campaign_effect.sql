-- One row per campaign, arm, segment and outcome: what the campaign changed, with its interval at 95 %.
-- Additive: incremental, over the segments of one kind that are all there. Not additive: means, differences, intervals.
-- A load makes the campaigns anew that its contacts, orders, costs or links touch, and those that still run.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_campaigns() }}",
) }}

with
compared as (
    select *
    from {{ ref('campaign_comparisons') }}
    union all
    select *, cast(null as bigint) as people_needed, cast(null as bigint) as fewest_not_zero
    from {{ ref('campaign_matched_comparisons') }}
),

tested as (
    select
        *,
        cast(difference / nullif(standard_error, 0) as double) as t_statistic,
        {{ t_quantile('degrees_of_freedom') }} * standard_error as margin_of_error
    from compared
),

judged as (
    select
        *,
        case
            when degrees_of_freedom >= 2 then {{ t_normal_deviate('t_statistic', 'degrees_of_freedom') }}
        end as deviate
    from tested
),

intervals as (
    select
        judged.*,
        campaigns.method,
        case judged.outcome
            {%- for outcome in campaign_outcomes() %}
            -- people are matched by their orders, so their orders are compared
            when '{{ outcome }}'
                then case when campaigns.method = 'holdout' then campaigns.{{ outcome }}_source else 'orders' end
            {%- endfor %}
        end as outcome_source,
        resamples.bootstrap_low,
        resamples.bootstrap_high,
        case
            when judged.fewest_not_zero < 20 then ' Fewer than 20 on a side are not nought: read it with care.'
            else ''
        end as few_not_zero,
        case
            when resamples.bootstrap_low is not null then 'bootstrap'
            when judged.margin_of_error is not null then 'welch_t'
        end as interval_to_use
    from judged
    inner join {{ ref('measured_campaigns') }} as campaigns
        on judged.campaign_durable_key = campaigns.campaign_durable_key
    left join {{ ref('campaign_resamples') }} as resamples
        on judged.campaign_durable_key = resamples.campaign_durable_key
        and judged.arm = resamples.arm
        and judged.segment_kind = resamples.segment_kind
        and judged.segment = resamples.segment
        and judged.outcome = resamples.outcome
)

select
    campaign_durable_key, arm, segment_kind, segment, outcome,
    method,
    case
        when method = 'before_after_matched'
            then 'No holdout: people contacted are compared with people not contacted who spent alike before. They were'
                || ' chosen for a reason and differ in it too: this is no proof that the campaign made the difference.'
    end as warning,
    outcome_source,
    treated_people, treated_mean, treated_variance,
    comparison_people, comparison_mean, comparison_variance,
    difference,
    cast(difference / nullif(comparison_mean, 0) as double) as relative_lift,
    standard_error, degrees_of_freedom, t_statistic,
    -- the approximation passes 1 by 3e-8 where nothing differs
    case when deviate is not null then least({{ two_tails('deviate') }}, cast(1 as double)) end as p_value,
    difference - margin_of_error as welch_low,
    difference + margin_of_error as welch_high,
    bootstrap_low, bootstrap_high,
    interval_to_use,
    case
        when interval_to_use is null
            then 'No interval: fewer than two people on a side, or nothing that varies.'
        when interval_to_use = 'bootstrap'
            then 'Skewed: a normal mean needs 355 x skewness squared = ' || cast(people_needed as string)
                || ' people a side.' || few_not_zero
        when treated_variance = 0 or comparison_variance = 0
            then 'One side does not vary, so the interval is too narrow: read it with care.'
        when method = 'before_after_matched'
            then 'Variances within strata, weighted by the people contacted.'
        when least(treated_people, comparison_people) < people_needed
            then 'Skewed, and fewer than 50 people on a side, too few for a bootstrap: read it with care.'
        else 'Enough people for a mean as skewed as this: 355 x skewness squared = '
            || cast(people_needed as string) || '.'
    end as interval_reason,
    case interval_to_use
        when 'bootstrap' then bootstrap_low
        else difference - margin_of_error
    end as difference_low,
    case interval_to_use
        when 'bootstrap' then bootstrap_high
        else difference + margin_of_error
    end as difference_high,
    cast(round(difference * treated_people, 4) as decimal(19, 4)) as incremental
from intervals
