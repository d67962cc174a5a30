-- One row per group of linked customers and day on which its links change; the first day of time is one of them.
select group_label, valid_from as link_day
from {{ ref('identity_members') }}
union
select group_label, valid_to as link_day
from {{ ref('identity_members') }}
where valid_to < {{ last_day_of_time() }}
union
select group_label, {{ first_day() }} as link_day
from {{ ref('identity_members') }}
