-- Lines given back: cancelled, or written off the stock. The source does not say which order they belong to.
-- One row per landed line; quantity and amount turned positive.
select
    source_system, source_feed, load_id, load_row, op,
    invoice_no as return_id, line_no,
    invoiced_at as returned_at, invoiced_at_local as returned_at_local, invoice_date as returned_date,
    customer_id,
    'online' as channel,
    stock_code as product_id,
    cast(-quantity as bigint) as quantity, unit_price,
    cast(-amount as decimal(19, 4)) as amount,
    case when invoice_no like 'C%' then 'cancellation' else 'stock adjustment' end as return_type,
    'GBP' as transaction_currency,
    cast(1 as decimal(28, 12)) as exchange_rate
from {{ ref('base_online_retail__lines') }}
where destination = 'returns'
