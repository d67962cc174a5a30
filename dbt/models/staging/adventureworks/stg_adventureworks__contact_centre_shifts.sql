-- Figures of the call centre, by day and shift.
-- One row per landed shift.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op,
    _business_date as shift_date,
    shift,
    wagetype as day_type,
    cast(leveloneoperators as integer) as operators_level_1,
    cast(leveltwooperators as integer) as operators_level_2,
    cast(totaloperators as integer) as operators,
    calls,
    automaticresponses as automatic_responses,
    orders,
    cast(issuesraised as integer) as issues_raised,
    cast(averagetimeperissue as integer) as average_seconds_per_issue,
    cast(round(servicegrade, 6) as decimal(9, 6)) as service_grade
from {{ landed('adventureworks', 'call_centre') }} as shifts
