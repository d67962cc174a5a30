-- Changes of the reasons given for lines of the web shop.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    salesordernumber as order_id,
    cast(salesorderlinenumber as bigint) as line_no,
    cast(salesreasonkey as string) as reason_id
from {{ landed('adventureworks', 'internet_sales_reasons') }} as reasons
