-- Charges and credits that are no product: postage, fees, manual corrections, discounts, written-off debt.
-- One row per landed line; the sign is the source's.
select
    source_system, source_feed, load_id, load_row, op,
    invoice_no as order_id, line_no,
    charge_type,
    invoiced_at as charged_at, invoice_date as charged_date,
    customer_id,
    'online' as channel,
    quantity, amount,
    'GBP' as transaction_currency,
    cast(1 as decimal(28, 12)) as exchange_rate
from {{ ref('base_online_retail__lines') }}
where destination = 'order_charges'
