-- Lines sold. All amounts are pounds, as the customer paid them; the shop shows no discount a line.
-- One row per landed line that is neither a charge nor given back.
select
    source_system, source_feed, load_id, load_row, op,
    invoice_no as order_id, line_no,
    invoiced_at as ordered_at, invoiced_at_local as ordered_at_local, invoice_date as order_date,
    customer_id,
    'online' as channel,
    stock_code as product_id,
    quantity, unit_price,
    amount as gross,
    cast(0 as decimal(19, 4)) as discount_retail,
    cast(0 as decimal(19, 4)) as discount_coupon,
    cast(0 as decimal(19, 4)) as discount_match,
    amount as net,
    'GBP' as transaction_currency,
    cast(1 as decimal(28, 12)) as exchange_rate
from {{ ref('base_online_retail__lines') }}
where destination = 'order_lines'
