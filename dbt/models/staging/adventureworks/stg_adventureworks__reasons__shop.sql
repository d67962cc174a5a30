-- Changes of the reasons to buy that the web shop asks for.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(salesreasonkey as string) as reason_id,
    salesreasonname as reason_name,
    salesreasonreasontype as reason_type
from {{ landed('adventureworks', 'sales_reasons') }} as reasons
