-- One row per campaign with a holdout, arm, segment and outcome: the treated beside the holdout. Arm '(all)': all arms.
-- Not additive: means. Moments are summed as decimals, so that they are the same in whatever order; tonight's only.
-- Whoever was both treated and held out counts on neither side; who was in several arms counts in '(all)' alone.
with
people as (
    select people.*
    from {{ ref('mart_campaign_person') }} as people
    inner join {{ ref('measured_campaigns') }} as campaigns
        on people.campaign_durable_key = campaigns.campaign_durable_key
    where campaigns.method = 'holdout' and people.contact_group in ('treated', 'holdout')
),

-- a margin known of some only would compare those whose purchases happen to have a cost
costed as (
    select campaign_durable_key
    from people
    group by campaign_durable_key
    having count(*) = count(margin)
),

outcomes as (
    {%- for outcome in campaign_outcomes() %}
    select
        campaign_durable_key, mastered_customer_key, contact_group, coalesce(arm, '') as arm,
        '{{ outcome }}' as outcome, cast({{ outcome }} as decimal(18, 4)) as amount
    from people
    where
        {{ outcome }} is not null
        {%- if outcome == 'margin' %}
        and campaign_durable_key in (select costed.campaign_durable_key from costed)
        {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

moments as (
    select
        outcomes.campaign_durable_key, outcomes.contact_group, outcomes.arm,
        segments.segment_kind, segments.segment, outcomes.outcome,
        count(*) as people,
        count(case when outcomes.amount <> 0 then 1 end) as people_not_zero,
        sum(outcomes.amount) as total,
        sum(outcomes.amount * outcomes.amount) as squares,
        sum(
            cast(round(outcomes.amount, 2) as decimal(12, 2)) * cast(round(outcomes.amount, 2) as decimal(12, 2))
            * cast(round(outcomes.amount, 2) as decimal(12, 2))
        ) as cubes
    from outcomes
    inner join {{ ref('campaign_segments') }} as segments
        on outcomes.campaign_durable_key = segments.campaign_durable_key
        and outcomes.mastered_customer_key = segments.mastered_customer_key
    group by
        outcomes.campaign_durable_key, outcomes.contact_group, outcomes.arm, segments.segment_kind, segments.segment,
        outcomes.outcome
),

cells as (
    select
        campaign_durable_key, contact_group, '(all)' as arm, segment_kind, segment, outcome,
        sum(people) as people, sum(people_not_zero) as people_not_zero,
        sum(total) as total, sum(squares) as squares, sum(cubes) as cubes
    from moments
    group by campaign_durable_key, contact_group, segment_kind, segment, outcome
    union all
    select
        campaign_durable_key, contact_group, arm, segment_kind, segment, outcome,
        people, people_not_zero, total, squares, cubes
    from moments
    where contact_group = 'treated' and arm not in ('', '(several)')
),

averaged as (
    select
        *,
        cast(cast(total as double) / nullif(people, 0) as double) as mean,
        cast(cast(squares as double) / nullif(people, 0) as double) as mean_square,
        cast(cast(cubes as double) / nullif(people, 0) as double) as mean_cube
    from cells
),

spread as (
    select
        *,
        greatest(
            cast((cast(squares as double) - cast(total as double) * mean) / nullif(people - 1, 0) as double),
            cast(0 as double)
        ) as sample_variance,
        cast(
            (mean_cube - 3 * mean * mean_square + 2 * mean * mean * mean)
            / nullif(power(greatest(mean_square - mean * mean, cast(0 as double)), 1.5), 0) as double
        ) as skewness
    from averaged
),

known as (
    -- greatest() passes over a NULL: of one person there is no variance
    select *, case when people > 1 then sample_variance end as variance
    from spread
)

select
    treated.campaign_durable_key, treated.arm, treated.segment_kind, treated.segment, treated.outcome,
    cast(treated.people as bigint) as treated_people,
    treated.mean as treated_mean,
    treated.variance as treated_variance,
    cast(coalesce(holdout.people, 0) as bigint) as comparison_people,
    holdout.mean as comparison_mean,
    holdout.variance as comparison_variance,
    treated.mean - holdout.mean as difference,
    sqrt(cast(treated.variance / nullif(treated.people, 0) + holdout.variance / nullif(holdout.people, 0) as double))
        as standard_error,
    cast(
        power(treated.variance / nullif(treated.people, 0) + holdout.variance / nullif(holdout.people, 0), 2)
        / nullif(
            power(treated.variance / nullif(treated.people, 0), 2) / nullif(treated.people - 1, 0)
            + power(holdout.variance / nullif(holdout.people, 0), 2) / nullif(holdout.people - 1, 0), 0
        ) as double
    ) as degrees_of_freedom,
    -- Kohavi et al. (2014), Seven rules of thumb, rule 7: a mean is normal enough from 355 x skewness squared on
    cast(ceil(
        355 * greatest(
            coalesce(treated.skewness * treated.skewness, 0), coalesce(holdout.skewness * holdout.skewness, 0)
        )
    ) as bigint) as people_needed,
    cast(least(treated.people_not_zero, coalesce(holdout.people_not_zero, 0)) as bigint) as fewest_not_zero
from known as treated
left join known as holdout
    on treated.campaign_durable_key = holdout.campaign_durable_key
    and treated.segment_kind = holdout.segment_kind
    and treated.segment = holdout.segment
    and treated.outcome = holdout.outcome
    and holdout.contact_group = 'holdout'
where treated.contact_group = 'treated'
