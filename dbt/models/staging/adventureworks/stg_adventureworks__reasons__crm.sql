-- Changes of the reasons to buy as the CRM keeps them.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(salesreasonid as string) as reason_id,
    name as reason_name,
    reasontype as reason_type
from {{ landed('adventureworks', 'crm_sales_reasons') }} as reasons
