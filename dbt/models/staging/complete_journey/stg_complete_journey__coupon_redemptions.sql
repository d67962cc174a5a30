-- Coupons handed in.
-- One row per landed row. There is neither an id nor the order: twins are legitimate, kept apart by landing order.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op,
    cast(coupon_upc as string) as coupon_id,
    cast(campaign_id as string) as campaign_id,
    cast(household_id as string) as customer_id,
    _business_date as redeemed_date
from {{ landed('complete_journey', 'coupon_redemptions') }} as landed
