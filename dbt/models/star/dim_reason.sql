-- One row per reason somebody gave, latest description (type 1).
-- A reason first met with an order line or a leaving customer is inferred and completed later in place.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='reason_key') }}

with
{{ latest_landed('reasons', ['reason_id']) }},

{{ unseen_members(['reason_id'], ['sales_reasons', 'churn_events'], 'touched') }},

members as (
    select
        source_system, reason_id, reason_name, reason_type,
        op = 'delete' as is_deleted, false as is_inferred, load_id, source_feed
    from latest
    union all
    select
        source_system, reason_id, null as reason_name, null as reason_type,
        false as is_deleted, true as is_inferred, load_id, source_feed
    from unseen
)

select
    {{ hash_key(['members.source_system', 'members.reason_id']) }} as reason_key,
    members.source_system, members.reason_id, members.reason_name, members.reason_type,
    members.is_deleted, members.is_inferred,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key
from members
left join {{ ref('dim_audit') }} as batches
    on members.load_id = batches.load_id
    and members.source_feed = batches.source_feed
{{ with_special_members({'is_deleted': 'false', 'is_inferred': 'false'}) }}
