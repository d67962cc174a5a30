-- Changes of the list of products a coupon of a campaign is good for.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(coupon_upc as string) as coupon_id,
    cast(campaign_id as string) as campaign_id,
    cast(product_id as string) as product_id
from {{ landed('complete_journey', 'coupons') }} as landed
