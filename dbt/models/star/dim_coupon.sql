-- One row per coupon of a campaign (type 1).
-- Which products it is good for is in bridge_coupon_product. A coupon whose products were all withdrawn is deleted.
-- A coupon first met in a redemption is inferred and completed later in place.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='coupon_key') }}

with
{{ latest_landed('coupons', ['coupon_id', 'campaign_id'], ['product_id']) }},

{{ unseen_members(['coupon_id', 'campaign_id'], ['coupon_redemptions'], 'touched') }},

members as (
    select
        source_system, coupon_id, campaign_id,
        cast(count(*) filter (where op <> 'delete') as integer) as product_count,
        false as is_inferred,
        min(load_id) as load_id, min(source_feed) as source_feed
    from latest
    group by source_system, coupon_id, campaign_id
    union all
    select
        source_system, coupon_id, campaign_id,
        cast(null as integer) as product_count,
        true as is_inferred,
        load_id, source_feed
    from unseen
)

select
    {{ hash_key(['members.source_system', 'members.coupon_id', 'members.campaign_id']) }} as coupon_key,
    {{ hash_key(['members.source_system', 'members.campaign_id']) }} as campaign_durable_key,
    members.source_system, members.coupon_id, members.campaign_id,
    members.product_count,
    coalesce(members.product_count = 0, false) as is_deleted,
    members.is_inferred,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key
from members
left join {{ ref('dim_audit') }} as batches
    on members.load_id = batches.load_id
    and members.source_feed = batches.source_feed
{{ with_special_members({'is_deleted': 'false', 'is_inferred': 'false'}) }}
