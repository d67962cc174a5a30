-- Coupons handed in, with the person, over all systems.
-- One row per row of fct_coupon_redemption; a link made or undone moves rows to another person.
{{ with_people(ref('fct_coupon_redemption')) }}
