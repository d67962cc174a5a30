-- One row per channel through which customers buy or are addressed, plus the unknown and the not applicable channel.
-- A maintained list (seed channels.csv); never changes with a load.
select
    channel_key, channel_code, channel_name, channel_type
from {{ ref('channels') }}
{{ with_special_members() }}
