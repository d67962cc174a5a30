-- One row per customer, key it can be recognised by in another system, and span of days in which it had the key.
-- No measures. Read whole each load from what landed: a link between two customers depends on both.
with
changes as (
    select
        *,
        row_number() over (
            partition by source_system, customer_id, effective_from
            order by updated_at desc nulls last, load_id desc, load_row desc
        ) as recency
    from {{ ref('customers') }}
),

spans as (
    select
        *,
        {{ durable_key(['customer_id']) }} as customer_durable_key,
        case
            when lag(effective_from) over (partition by source_system, customer_id order by effective_from) is null
                then {{ first_day() }}
            else effective_from
        end as valid_from,
        coalesce(
            lead(effective_from) over (partition by source_system, customer_id order by effective_from),
            {{ last_day_of_time() }}
        ) as valid_to
    from changes
    where recency = 1
),

link_changes as (
    select
        *,
        row_number() over (
            partition by source_system, customer_id, other_system, other_customer_id, effective_from
            order by updated_at desc nulls last, load_id desc, load_row desc
        ) as recency
    from {{ ref('identities') }}
),

link_spans as (
    select
        *,
        {{ durable_key(['customer_id']) }} as customer_durable_key,
        {{ hash_key(['other_system', 'other_customer_id']) }} as other_durable_key,
        greatest(effective_from, coalesce(valid_from, {{ first_day() }})) as holds_from,
        least(
            coalesce(valid_to, {{ last_day_of_time() }}),
            coalesce(
                lead(effective_from) over (
                    partition by source_system, customer_id, other_system, other_customer_id order by effective_from
                ),
                {{ last_day_of_time() }}
            )
        ) as holds_to
    from link_changes
    where recency = 1
),

links as (
    select
        *,
        source_system || chr(31) || customer_id || chr(31) || other_system || chr(31) || other_customer_id as match_key
    from link_spans
    where op <> 'delete' and holds_from < holds_to
)

{% for method, column, confidence in identity_methods() %}
select
    customer_durable_key, source_system, '{{ method }}' as method, {{ column }} as match_key,
    cast({{ confidence }} as decimal(5, 4)) as confidence, valid_from, valid_to
from spans
where op <> 'delete' and {{ column }} is not null
union all
{%- endfor %}
select
    customer_durable_key, source_system, 'declared' as method, match_key,
    coalesce(confidence, cast(1 as decimal(5, 4))) as confidence, holds_from as valid_from, holds_to as valid_to
from links
union all
select
    other_durable_key, other_system, 'declared' as method, match_key,
    coalesce(confidence, cast(1 as decimal(5, 4))) as confidence, holds_from as valid_from, holds_to as valid_to
from links
