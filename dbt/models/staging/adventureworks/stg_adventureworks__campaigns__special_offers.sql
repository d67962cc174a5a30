-- Changes of special offers as the CRM keeps them. Number 1, the absence of one, is listed.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(specialofferid as string) as campaign_id,
    description as campaign_name,
    type as campaign_type,
    category as place,
    cast(startdate as date) as start_date,
    cast(enddate as date) as end_date
from {{ landed('adventureworks', 'crm_special_offers') }} as offers
