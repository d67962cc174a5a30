-- Changes of the list of campaigns.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(campaign_id as string) as campaign_id,
    campaign_type,
    cast(start_date as date) as start_date,
    cast(end_date as date) as end_date
from {{ landed('complete_journey', 'campaign_descriptions') }} as landed
