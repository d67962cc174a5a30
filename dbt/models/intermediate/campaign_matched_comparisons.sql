-- One row per campaign without a holdout, arm, segment and outcome: difference in differences by strata of spend
-- before. Not additive: means. In each stratum the change of the people contacted less that of the others, weighted by
-- the people contacted (the effect on them). Strata with fewer than two people on a side say nothing: left out.
with
changes as (
    {%- for outcome in campaign_outcomes() %}
    select
        campaign_durable_key, mastered_customer_key, side, arm, stratum, '{{ outcome }}' as outcome,
        {{ outcome }}_before as value_before, {{ outcome }}_during as value_during,
        cast({{ outcome }}_during - {{ outcome }}_before as decimal(18, 4)) as gain
    from {{ ref('campaign_matches') }}
    where {{ outcome }}_during is not null
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

armed as (
    select *, '(all)' as compared_arm
    from changes
    union all
    select *, arm as compared_arm
    from changes
    where side = 'treated' and arm is not null and arm <> '(several)'
),

cells as (
    select
        armed.campaign_durable_key, armed.side, armed.compared_arm as arm, segments.segment_kind, segments.segment,
        armed.outcome, armed.stratum,
        count(*) as people,
        sum(armed.value_before) as value_before, sum(armed.value_during) as value_during,
        cast(cast(sum(armed.gain) as double) / nullif(count(*), 0) as double) as mean_change,
        cast(cast(sum(armed.gain * armed.gain) as double) / nullif(count(*), 0) as double) as mean_square
    from armed
    inner join {{ ref('campaign_segments') }} as segments
        on armed.campaign_durable_key = segments.campaign_durable_key
        and armed.mastered_customer_key = segments.mastered_customer_key
    group by
        armed.campaign_durable_key, armed.side, armed.compared_arm, segments.segment_kind, segments.segment,
        armed.outcome, armed.stratum
    having count(*) > 1
),

spread as (
    select
        *,
        greatest(
            cast((mean_square - mean_change * mean_change) * people / nullif(people - 1, 0) as double),
            cast(0 as double)
        ) as variance
    from cells
),

strata as (
    select
        treated.campaign_durable_key, treated.arm, treated.segment_kind, treated.segment, treated.outcome,
        treated.stratum, treated.people as treated_people, compared.people as comparison_people,
        treated.value_before, treated.value_during,
        treated.people * compared.mean_change as expected_change,
        treated.people * treated.variance as treated_variance,
        treated.people * compared.variance as comparison_variance,
        cast(power(treated.people, 2) * compared.variance / nullif(compared.people, 0) as double) as compared_part,
        compared.people - 1 as compared_freedom,
        treated.people - 1 as treated_freedom
    from spread as treated
    inner join spread as compared
        on treated.campaign_durable_key = compared.campaign_durable_key
        and treated.segment_kind = compared.segment_kind
        and treated.segment = compared.segment
        and treated.outcome = compared.outcome
        and treated.stratum = compared.stratum
        and compared.side = 'compared'
    where treated.side = 'treated'
),

uncertain as (
    select
        *,
        treated_variance + compared_part as uncertainty,
        cast(
            treated_variance * treated_variance / nullif(treated_freedom, 0)
            + compared_part * compared_part / nullif(compared_freedom, 0) as double
        ) as uncertainty_of_it
    from strata
),

summed as (
    select
        campaign_durable_key, arm, segment_kind, segment, outcome,
        sum(treated_people) as treated_people,
        sum(comparison_people) as comparison_people,
        -- stratum by stratum, so that doubles are added in one order always
        {%- for column in [
            'expected_change', 'treated_variance', 'comparison_variance', 'uncertainty', 'uncertainty_of_it',
        ] %}
        cast(
            0
            {%- for stratum in range(10) %}
            + coalesce(max(case when stratum = {{ stratum }} then {{ column }} end), 0)
            {%- endfor %}
            as double
        ) as {{ column }},
        {%- endfor %}
        cast(sum(value_before) as double) as value_before,
        cast(sum(value_during) as double) as value_during
    from uncertain
    group by campaign_durable_key, arm, segment_kind, segment, outcome
)

select
    campaign_durable_key, arm, segment_kind, segment, outcome,
    cast(treated_people as bigint) as treated_people,
    cast(value_during / nullif(treated_people, 0) as double) as treated_mean,
    cast(treated_variance / nullif(treated_people, 0) as double) as treated_variance,
    cast(comparison_people as bigint) as comparison_people,
    cast((value_before + expected_change) / nullif(treated_people, 0) as double) as comparison_mean,
    cast(comparison_variance / nullif(treated_people, 0) as double) as comparison_variance,
    cast((value_during - value_before - expected_change) / nullif(treated_people, 0) as double) as difference,
    cast(sqrt(uncertainty) / nullif(treated_people, 0) as double) as standard_error,
    cast(uncertainty * uncertainty / nullif(uncertainty_of_it, 0) as double) as degrees_of_freedom
from summed
