-- Purchases as orders of one line: the source knows neither orders nor products, only how many CDs for how much.
-- One row per landed purchase. The surrogate order is customer, day and line of the file: some buy twice a day.
with
purchases as (
    select
        landed.*,
        -- fixed width, so the line is one column, named as the file's first line
        landed.{{ quoted_column(' customer_id  date number_of_cds  dollar_value') }} as text_line
    from {{ landed('cdnow', 'transactions') }} as landed
),

amounts as (
    select
        *,
        cast(trim(substr(text_line, 19)) as decimal(19, 4)) as amount,
        cast(trim(substr(text_line, 16, 3)) as bigint) as cds
    from purchases
)

select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op,
    substr(text_line, 2, 5) || '-' || substr(text_line, 8, 8) || '-' || cast(_row as string) as order_id,
    cast(1 as bigint) as line_no,
    _business_date as order_date,
    substr(text_line, 2, 5) as customer_id,
    'online' as channel,
    cds as quantity,
    {{ price_of_one('amount', 'cds') }} as unit_price,
    amount as gross,
    cast(0 as decimal(19, 4)) as discount_retail,
    cast(0 as decimal(19, 4)) as discount_coupon,
    cast(0 as decimal(19, 4)) as discount_match,
    amount as net
from amounts
