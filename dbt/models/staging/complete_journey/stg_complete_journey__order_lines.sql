-- Lines of baskets at the till. Timestamps are UTC, the business day is New York's.
-- One row per landed line. The till books what it receives: the shop's own discounts come on top to make the gross
-- amount; the manufacturer's coupon is reimbursed, so it is no part of that difference.
with
lines as (
    select
        *,
        -- doubles become decimals before any arithmetic
        cast(round(sales_value, 4) as decimal(19, 4)) as net,
        cast(round(retail_disc, 4) as decimal(19, 4)) as discount_retail,
        cast(round(coupon_disc, 4) as decimal(19, 4)) as discount_coupon,
        cast(round(coupon_match_disc, 4) as decimal(19, 4)) as discount_match
    from {{ landed('complete_journey', 'transactions') }} as landed
),

grossed as (
    select
        *,
        cast(net + discount_retail + discount_match as decimal(19, 4)) as gross
    from lines
)

select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op,
    cast(basket_id as string) as order_id,
    -- the till gives no line number; the product identifies the line, measured unique over all 1,469,307 lines
    product_id as line_no,
    transaction_timestamp as ordered_at,
    {{ local_time('transaction_timestamp', 'America/New_York') }} as ordered_at_local,
    _business_date as order_date,
    cast(household_id as string) as customer_id,
    cast(store_id as string) as store_id,
    'store' as channel,
    cast(product_id as string) as product_id,
    quantity,
    {{ price_of_one('gross', 'quantity') }} as unit_price,
    gross, discount_retail, discount_coupon, discount_match, net
from grossed
