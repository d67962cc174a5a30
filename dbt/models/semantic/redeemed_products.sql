-- A redemption shared out over the products its coupon is good for, by weight; one nobody told products of stays whole.
-- One row per row of fct_coupon_redemption and product. Additive: share_of_redemption, whose sum counts redemptions.
select
    people.redeemed_date,
    people.redeemed_date_key,
    people.campaign_key,
    people.campaign_durable_key,
    people.customer_key,
    people.customer_durable_key,
    people.mastered_customer_key,
    coalesce(products.product_key, {{ unknown_key() }}) as product_key,
    coalesce(bridge.product_durable_key, {{ unknown_key() }}) as product_durable_key,
    cast(coalesce(bridge.weight, 1) as decimal(18, 12)) as share_of_redemption
from {{ ref('redemptions_of_people') }} as people
left join {{ ref('bridge_coupon_product') }} as bridge on people.coupon_key = bridge.coupon_key
left join {{ ref('dim_product') }} as products
    on bridge.product_durable_key = products.product_durable_key
    and people.redeemed_date >= products.valid_from
    and people.redeemed_date < products.valid_to
