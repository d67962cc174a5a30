-- Changes of what households told about themselves, in bands.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(household_id as string) as customer_id,
    'household' as customer_type,
    age as age_band,
    marital_status,
    income as income_band,
    household_size,
    household_comp as household_composition,
    kids_count as children,
    home_ownership as home_owner
from {{ landed('complete_journey', 'demographics') }} as landed
