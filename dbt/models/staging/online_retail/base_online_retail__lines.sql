-- Invoice lines and the one canonical feed each goes to. The rule stands here and nowhere else:
-- codes that are no product and invoices that write off debt are charges, of the rest what is cancelled or has a
-- negative quantity is given back, and all else is sold.
-- One row per landed line. Quantity and amount keep the source's sign.
with
lines as (
    select
        _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op,
        invoiceno as invoice_no,
        -- the source numbers no lines: a line's number is its place in the day's file, the low 32 bits of _row
        _row % 4294967296 as line_no,
        stockcode as stock_code,
        {{ utc_time('invoicedate', 'Europe/London') }} as invoiced_at,
        invoicedate as invoiced_at_local,
        _business_date as invoice_date,
        -- 17850.0 is customer 17850
        nullif(split_part(customerid, '.', 1), '') as customer_id,
        cast(quantity as bigint) as quantity,
        cast(unitprice as decimal(19, 4)) as unit_price,
        cast(quantity * unitprice as decimal(19, 4)) as amount
    from {{ landed('online_retail', 'lines') }} as landed
)

select
    lines.*,
    case
        when lines.invoice_no like 'A%' then coalesce(codes.charge_type, 'bad debt') else codes.charge_type
    end as charge_type,
    case
        when lines.invoice_no like 'A%' or codes.charge_type is not null then 'order_charges'
        when lines.invoice_no like 'C%' or lines.quantity < 0 then 'returns'
        else 'order_lines'
    end as destination
from lines
left join {{ ref('base_online_retail__charge_codes') }} as codes on lines.stock_code = codes.stock_code
