-- Where a product stood in a store's display and mailer in a week.
-- One row per landed row. Weeks are named by their Monday, local.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op,
    cast(product_id as string) as product_id,
    cast(store_id as string) as store_id,
    _business_date as week_date,
    display_location as display_code,
    mailer_location as mailer_code
from {{ landed('complete_journey', 'promotions') }} as landed
