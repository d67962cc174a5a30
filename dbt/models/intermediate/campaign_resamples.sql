-- One row per comparison whose outcome is too skewed for its number of people: the middle 95 % of 1,000 resampled
-- differences (Poisson bootstrap, percentiles). Not additive. The same every time: weights are hashed, not drawn.
-- Zeros, which are most, are not resampled one by one: how often n of them are drawn is near enough normal(n, n).
-- Others share 4,096 places at random and are drawn by place, which keeps their cost to that at any size.
{%- set places = 4096 %}
{%- set replicates = 1000 %}
with
skewed as (
    select *
    from {{ ref('campaign_comparisons') }}
    where {{ is_resampled() }}
),

cells as (
    select distinct campaign_durable_key, arm, 'treated' as contact_group, segment_kind, segment, outcome
    from skewed
    union all
    select distinct campaign_durable_key, '(all)' as arm, 'holdout' as contact_group, segment_kind, segment, outcome
    from skewed
),

keyed as (
    select
        *,
        {{ hash_key(['campaign_durable_key', 'arm', 'contact_group', 'segment_kind', 'segment', 'outcome']) }}
        % {{ random_prime() }} as cell_seed
    from cells
),

drawn_from as (
    select
        keyed.campaign_durable_key, keyed.arm, keyed.contact_group, keyed.segment_kind, keyed.segment, keyed.outcome,
        keyed.cell_seed,
        people.mastered_customer_key % {{ places }} as place,
        cast(case keyed.outcome
            {%- for outcome in campaign_outcomes() %}
            when '{{ outcome }}' then people.{{ outcome }}
            {%- endfor %}
        end as decimal(18, 4)) as amount
    from keyed
    inner join {{ ref('campaign_segments') }} as segments
        on keyed.campaign_durable_key = segments.campaign_durable_key
        and keyed.segment_kind = segments.segment_kind
        and keyed.segment = segments.segment
    inner join {{ ref('mart_campaign_person') }} as people
        on segments.campaign_durable_key = people.campaign_durable_key
        and segments.mastered_customer_key = people.mastered_customer_key
        and keyed.contact_group = people.contact_group
        and (keyed.arm = '(all)' or keyed.arm = people.arm)
),

places as (
    select
        cell_seed, place,
        (cell_seed + (place + 1) * 524287) % {{ random_prime() }} as seed,
        count(*) as people, cast(sum(amount) as decimal(28, 4)) as total
    from drawn_from
    where amount <> 0
    group by cell_seed, place
),

zeros as (
    select cell_seed, cell_seed as seed, count(case when amount = 0 then 1 end) as people
    from drawn_from
    where amount is not null
    group by cell_seed
),

replicates as (
    {{ each_number(1, replicates) }}
),

draws as (
    select cell_seed, replicate, sum(weight * people) as people, sum(weight * total) as total
    from (
        select cell_seed, people, total, replicate, {{ poisson_weight('random_number') }} as weight
        from {{ with_random_numbers(
            '(select places.*, cast(number as bigint) as replicate from places cross join replicates) as tries',
            'cell_seed, people, total, replicate, seed', 'seed', 'replicate'
        ) }} as numbered
    ) as weighted
    where weight > 0
    group by cell_seed, replicate
),

-- two uniform numbers make a normal one (Box and Muller 1958)
uniforms as (
    {%- for turn in [1, 2] %}
    select
        cell_seed, people, replicate, {{ turn }} as turn,
        cast((cast(random_number as double) + 0.5) / {{ random_prime() }} as double) as uniform
    from {{ with_random_numbers(
        '(select zeros.*, cast(number + ' ~ 1000000 * turn ~ ' as bigint) as turned, cast(number as bigint) as replicate'
        ~ ' from zeros cross join replicates) as tries',
        'cell_seed, people, replicate, turned, seed', 'seed', 'turned'
    ) }} as numbered
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

zero_draws as (
    select
        cell_seed, replicate,
        greatest(round(
            people + sqrt(people) * sqrt(-2 * ln(max(case when turn = 1 then uniform end)))
            * cos(6.283185307179586 * max(case when turn = 2 then uniform end))
        ), 0) as people
    from uniforms
    group by cell_seed, people, replicate
),

means as (
    select
        zero_draws.cell_seed, zero_draws.replicate,
        cast(
            cast(coalesce(draws.total, 0) as double)
            / nullif(cast(coalesce(draws.people, 0) as double) + zero_draws.people, 0) as double
        ) as mean
    from zero_draws
    left join draws on zero_draws.cell_seed = draws.cell_seed and zero_draws.replicate = draws.replicate
)

select
    treated.campaign_durable_key, treated.arm, treated.segment_kind, treated.segment, treated.outcome,
    percentile_cont(0.025) within group (order by treated_means.mean - holdout_means.mean nulls last) as bootstrap_low,
    percentile_cont(0.975) within group (order by treated_means.mean - holdout_means.mean nulls last) as bootstrap_high
from keyed as treated
inner join keyed as holdout
    on treated.campaign_durable_key = holdout.campaign_durable_key
    and treated.segment_kind = holdout.segment_kind
    and treated.segment = holdout.segment
    and treated.outcome = holdout.outcome
    and holdout.contact_group = 'holdout'
inner join means as treated_means on treated.cell_seed = treated_means.cell_seed
inner join means as holdout_means
    on holdout.cell_seed = holdout_means.cell_seed
    and treated_means.replicate = holdout_means.replicate
where treated.contact_group = 'treated'
group by treated.campaign_durable_key, treated.arm, treated.segment_kind, treated.segment, treated.outcome
