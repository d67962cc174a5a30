-- Which household received which campaign, dated by the campaign's start.
-- One row per landed row: all treated, no holdout, no channel, nothing about delivery or opening.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op,
    cast(campaign_id as string) as campaign_id,
    cast(household_id as string) as customer_id,
    _business_date as assigned_date,
    _business_date as contacted_date,
    'treated' as contact_group
from {{ landed('complete_journey', 'campaigns') }} as landed
