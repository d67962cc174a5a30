-- One row per campaign without a holdout, arm, segment and outcome: difference in differences, within strata of spend before.
-- Not additive: means. In each stratum the change of the people contacted less that of the others; weighted by the
-- people contacted (the effect on them). Strata with fewer than two people on a side say nothing and are left out.
with
changes as (
    {%- for outcome in campaign_outcomes() %}
    select
        campaign_durable_key, mastered_customer_key, side, arm, stratum, '{{ outcome }}' as outcome,
        {{ outcome }}_before as before, {{ outcome }}_during as during,
        cast({{ outcome }}_during - {{ outcome }}_before as decimal(18, 4)) as change
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
        sum(armed.before) as before, sum(armed.during) as during,
        cast(sum(armed.change) as double) / nullif(count(*), 0) as mean_change,
        cast(sum(armed.change * armed.change) as double) / nullif(count(*), 0) as mean_square
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
        greatest(cast((mean_square - mean_change * mean_change) * people / nullif(people - 1, 0) as double), cast(0 as double))
            as variance
    from cells
),

-- as decimals, so that the sums over strata are the same in whatever order
strata as (
    select
        treated.campaign_durable_key, treated.arm, treated.segment_kind, treated.segment, treated.outcome,
        treated.people as treated_people, compared.people as compared_people, treated.before, treated.during,
        cast(round(treated.people * compared.mean_change, 8) as decimal(28, 8)) as expected_change,
        cast(round(treated.people * treated.variance, 6) as decimal(38, 6)) as treated_variance,
        cast(round(treated.people * compared.variance, 6) as decimal(38, 6)) as compared_variance,
        cast(round(treated.people * treated.variance + power(treated.people, 2) * compared.variance / nullif(compared.people, 0), 6)
            as decimal(38, 6)) as uncertainty,
        cast(round(
            power(treated.people * treated.variance, 2) / nullif(treated.people - 1, 0)
            + power(power(treated.people, 2) * compared.variance / nullif(compared.people, 0), 2) / nullif(compared.people - 1, 0),
            6
        ) as decimal(38, 6)) as uncertainty_of_it
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

summed as (
    select
        campaign_durable_key, arm, segment_kind, segment, outcome,
        sum(treated_people) as treated_people,
        sum(compared_people) as comparison_people,
        cast(sum(before) as double) as before,
        cast(sum(during) as double) as during,
        cast(sum(expected_change) as double) as expected_change,
        cast(sum(treated_variance) as double) as treated_variance,
        cast(sum(compared_variance) as double) as comparison_variance,
        cast(sum(uncertainty) as double) as uncertainty,
        cast(sum(uncertainty_of_it) as double) as uncertainty_of_it
    from strata
    group by campaign_durable_key, arm, segment_kind, segment, outcome
)

select
    campaign_durable_key, arm, segment_kind, segment, outcome,
    cast(treated_people as bigint) as treated_people,
    cast(during / nullif(treated_people, 0) as double) as treated_mean,
    cast(treated_variance / nullif(treated_people, 0) as double) as treated_variance,
    cast(comparison_people as bigint) as comparison_people,
    cast((before + expected_change) / nullif(treated_people, 0) as double) as comparison_mean,
    cast(comparison_variance / nullif(treated_people, 0) as double) as comparison_variance,
    cast((during - before - expected_change) / nullif(treated_people, 0) as double) as difference,
    cast(sqrt(uncertainty) / nullif(treated_people, 0) as double) as standard_error,
    cast(uncertainty * uncertainty / nullif(uncertainty_of_it, 0) as double) as degrees_of_freedom
from summed
