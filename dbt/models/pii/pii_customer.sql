-- One row per customer of a feed with personal data: what is known of the person now.
-- In pii.duckdb, never in warehouse.duckdb; joined to it by customer_durable_key.
-- Values are NULL once the source deleted the customer or the customer was erased. Feeds that each know a part of a
-- person complete one another; of two that know the same, the one landed last counts.
{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_durable_key',
    alias='customer',
) }}

with
touched as (
    select distinct customer_durable_key
    from {{ ref('pii_customer_row') }}
    where {{ in_this_load() }}
),

ranked as (
    select
        landed.*,
        row_number() over (
            partition by landed.customer_durable_key, landed.source_feed
            order by
                landed.effective_from desc nulls last, landed.updated_at desc nulls last,
                landed.load_id desc, landed.load_row desc
        ) as recency
    from {{ ref('pii_customer_row') }} as landed
    inner join touched on landed.customer_durable_key = touched.customer_durable_key
),

told as (
    select
        ranked.customer_durable_key, ranked.source_system, ranked.customer_id, ranked.load_id,
        ranked.load_id || ranked.source_feed as recency,
        personal.name, personal.email, personal.phone, personal.address, personal.birth_date
    from ranked
    left join {{ landed_pii() }} as personal
        on ranked.source_feed = personal.source_feed
        and ranked.load_id = personal.load_id
        and ranked.load_row = personal.load_row
        and ranked.op <> 'delete'
    where ranked.recency = 1
)

select
    customer_durable_key, source_system, customer_id,
    max_by(name, recency) filter (where name is not null) as name,
    max_by(email, recency) filter (where email is not null) as email,
    max_by(phone, recency) filter (where phone is not null) as phone,
    max_by(address, recency) filter (where address is not null) as address,
    max_by(birth_date, recency) filter (where birth_date is not null) as birth_date,
    max(load_id) as load_id
from told
group by customer_durable_key, source_system, customer_id
