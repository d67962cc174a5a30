-- One row per store, latest description (type 1).
-- A store first met in a fact is inferred and completed later in place; no enabled source describes its stores yet.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='store_key') }}

with
{{ latest_landed('stores', ['store_id']) }},

{{ unseen_members(['store_id'], ['order_lines', 'returns', 'order_charges', 'promo_exposures', 'orders'], 'touched') }},

members as (
    select
        source_system, store_id, store_name, store_type, city, region, country,
        op = 'delete' as is_deleted, false as is_inferred, load_id, source_feed
    from latest
    union all
    select
        source_system, store_id, null as store_name, null as store_type, null as city, null as region, null as country,
        false as is_deleted, true as is_inferred, load_id, source_feed
    from unseen
)

select
    {{ hash_key(['members.source_system', 'members.store_id']) }} as store_key,
    members.source_system, members.store_id,
    members.store_name, members.store_type, members.city, members.region, members.country,
    members.is_deleted, members.is_inferred,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key
from members
left join {{ ref('dim_audit') }} as batches
    on members.load_id = batches.load_id
    and members.source_feed = batches.source_feed
{{ with_special_members({'is_deleted': 'false', 'is_inferred': 'false'}) }}
