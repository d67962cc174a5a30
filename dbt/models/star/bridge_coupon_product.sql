-- One row per coupon of a campaign and product it is good for.
-- Weights of a coupon sum to exactly 1: a redemption's money spread by weight over its products stays what it was.
-- The list is today's; a coupon withdrawn whole keeps the last list it had, so old redemptions keep their products.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='coupon_key') }}

with
{{ latest_landed('coupons', ['coupon_id', 'campaign_id'], ['product_id']) }},

ranked as (
    select
        *,
        -- live products outrank withdrawn ones; among withdrawn ones the last to go are the last list
        dense_rank() over (
            partition by source_system, coupon_id, campaign_id
            order by
                case when op = 'delete' then 1 else 0 end nulls last,
                case when op = 'delete' then effective_from end desc nulls last
        ) as list_rank
    from latest
),

products as (
    select
        source_system, coupon_id, campaign_id, product_id,
        count(*) over (partition by source_system, coupon_id, campaign_id) as product_count,
        row_number() over (
            partition by source_system, coupon_id, campaign_id order by product_id nulls last
        ) as product_no
    from ranked
    where list_rank = 1
)

select
    coupons.coupon_key,
    members.product_durable_key,
    -- the first product takes what rounding leaves over
    {{ share_of_one('products.product_count', 'products.product_no') }} as weight
from products
inner join {{ ref('dim_coupon') }} as coupons
    on products.source_system = coupons.source_system
    and products.coupon_id = coupons.coupon_id
    and products.campaign_id = coupons.campaign_id
inner join {{ ref('dim_product') }} as members
    on products.source_system = members.source_system
    and products.product_id = members.product_id
    and members.is_current
