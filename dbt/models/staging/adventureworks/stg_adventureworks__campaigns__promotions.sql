-- Changes of promotions: price reductions that order lines were sold under. Number 1, the absence of one, is listed.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(promotionkey as string) as campaign_id,
    englishpromotionname as campaign_name,
    englishpromotiontype as campaign_type,
    englishpromotioncategory as place,
    cast(startdate as date) as start_date,
    cast(enddate as date) as end_date
from {{ landed('adventureworks', 'promotions') }} as promotions
