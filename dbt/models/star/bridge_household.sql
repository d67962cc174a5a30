-- One row per household, customer and span of time in which the household had the same members with the same weights.
-- Weights of a household sum to exactly 1 at any time: a household's money spread by weight stays what it was.
-- When a membership holds is what the source says last (valid_from, valid_to); where it says nothing, from the day the
-- change took effect, the first since ever. Without weights members share equally. A late change cuts the household
-- anew.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched('households', ['household_id']) }}",
) }}

with
landed as (
    select
        *,
        row_number() over (
            partition by source_system, household_id, customer_id, effective_from
            order by load_id desc, load_row desc
        ) as landing_rank
    from {{ ref('households') }}
    where
        (source_system, household_id) in (
            select touched.source_system, touched.household_id
            from {{ ref('households') }} as touched
            where {{ in_this_load('touched.load_id') }}
        )
),

versions as (
    select
        source_system, household_id, customer_id, role, weight, effective_from, valid_from, valid_to,
        op = 'delete' as is_deleted,
        lag(effective_from) over (
            partition by source_system, household_id, customer_id order by effective_from
        ) as previous_from,
        lead(effective_from) over (
            partition by source_system, household_id, customer_id order by effective_from
        ) as next_from
    from landed
    where landing_rank = 1
),

dated as (
    select
        *,
        max(case when next_from is null and coalesce(valid_from, valid_to) is not null then 1 else 0 end)
            over (partition by source_system, household_id, customer_id) as is_dated
    from versions
),

memberships as (
    select
        source_system, household_id, customer_id, role, weight,
        coalesce(valid_from, {{ first_day() }}) as valid_from,
        least(
            coalesce(valid_to, {{ last_day_of_time() }}),
            case when is_deleted then effective_from else {{ last_day_of_time() }} end
        ) as valid_to
    from dated
    where is_dated = 1 and next_from is null
    union all
    select
        source_system, household_id, customer_id, role, weight,
        case when previous_from is null then {{ first_day() }} else effective_from end as valid_from,
        coalesce(next_from, {{ last_day_of_time() }}) as valid_to
    from dated
    where is_dated = 0 and not is_deleted
),

-- a household's time is cut wherever one of its members comes, goes or changes weight
cuts as (
    select source_system, household_id, valid_from as cut_date
    from memberships
    union distinct
    select source_system, household_id, valid_to as cut_date
    from memberships
),

spans as (
    select
        source_system, household_id, cut_date as valid_from,
        lead(cut_date) over (partition by source_system, household_id order by cut_date nulls last) as valid_to
    from cuts
),

members as (
    select
        spans.source_system, spans.household_id, spans.valid_from, spans.valid_to,
        memberships.customer_id, memberships.role,
        case
            when count(*) over in_span = count(memberships.weight) over in_span
                then cast(memberships.weight / nullif(sum(memberships.weight) over in_span, 0) as decimal(28, 18))
        end as given_share,
        count(*) over in_span as member_count,
        row_number() over (
            partition by spans.source_system, spans.household_id, spans.valid_from
            order by memberships.customer_id nulls last
        ) as member_no
    from spans
    inner join memberships
        on spans.source_system = memberships.source_system
        and spans.household_id = memberships.household_id
        and spans.valid_from >= memberships.valid_from
        and spans.valid_to <= memberships.valid_to
    window in_span as (partition by spans.source_system, spans.household_id, spans.valid_from)
),

shares as (
    select
        *,
        cast(round(coalesce(given_share, 1.0 / nullif(member_count, 0)), 12) as decimal(18, 12)) as part
    from members
)

select
    {{ hash_key(['source_system', 'household_id']) }} as household_durable_key,
    source_system, household_id,
    {{ hash_key(['source_system', 'customer_id']) }} as customer_durable_key,
    role,
    -- the first member takes what rounding leaves over
    cast(
        part + case
            when member_no = 1
                then 1 - sum(part) over (partition by source_system, household_id, valid_from)
            else 0
        end as decimal(18, 12)
    ) as weight,
    valid_from, valid_to,
    valid_to = {{ last_day_of_time() }} as is_current
from shares
