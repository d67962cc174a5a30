-- One row per currency, by its ISO code: conformed, so one row whatever the number of systems that list it.
-- Latest description (type 1). A currency first met in a fact is inferred and completed later in place.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='currency_key') }}

with
touched as (
    select distinct currency_code
    from {{ ref('currencies') }}
    where {{ in_this_load() }}
),

landed as (
    select
        landed.*,
        row_number() over (
            partition by landed.source_system, landed.currency_code
            order by
                landed.effective_from desc nulls last, landed.load_id desc nulls last, landed.load_row desc nulls last
        ) as recency
    from {{ ref('currencies') }} as landed
    inner join touched on landed.currency_code = touched.currency_code
),

-- a system that still lists the currency outranks one that dropped it
ranked as (
    select
        *,
        row_number() over (
            partition by currency_code
            order by case when op = 'delete' then 1 else 0 end nulls last, source_system nulls last
        ) as system_rank
    from landed
    where recency = 1
),

sightings as (
    select transaction_currency as currency_code, load_id, source_feed
    from {{ ref('order_lines') }}
    where {{ in_this_load() }} and transaction_currency is not null
    group by transaction_currency, load_id, source_feed
    union all
    select from_currency as currency_code, load_id, source_feed
    from {{ ref('fx_rates') }}
    where {{ in_this_load() }}
    group by from_currency, load_id, source_feed
    union all
    select to_currency as currency_code, load_id, source_feed
    from {{ ref('fx_rates') }}
    where {{ in_this_load() }}
    group by to_currency, load_id, source_feed
),

first_sightings as (
    select
        *,
        row_number() over (
            partition by currency_code order by load_id nulls last, source_feed nulls last
        ) as sighting
    from sightings
),

known as (
    select currency_code
    from touched
    {%- if is_incremental() %}
    union all
    select currency_code
    from {{ this }}
    {%- endif %}
),

unseen as (
    select currency_code, load_id, source_feed
    from first_sightings
    where
        sighting = 1
        and not exists (
            select 1 from known
            where known.currency_code = first_sightings.currency_code
        )
),

members as (
    select
        currency_code, currency_name, op = 'delete' as is_deleted, false as is_inferred, load_id, source_feed
    from ranked
    where system_rank = 1
    union all
    select
        currency_code, null as currency_name, false as is_deleted, true as is_inferred, load_id, source_feed
    from unseen
)

select
    {{ hash_key(['members.currency_code']) }} as currency_key,
    members.currency_code, members.currency_name, members.is_deleted, members.is_inferred,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key
from members
left join {{ ref('dim_audit') }} as batches
    on members.load_id = batches.load_id
    and members.source_feed = batches.source_feed
{{ with_special_members({'is_deleted': 'false', 'is_inferred': 'false'}) }}
