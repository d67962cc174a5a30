-- One row per minute of the day, local time, plus the unknown and the not applicable time.
-- Bands for staffing and shelf planning. Never changes with a load.
with
minutes as (
    {{ each_number(0, 1439) }}
),

hours as (
    select
        number as minute_of_day,
        cast(floor(number / 60) as integer) as hour_of_day,
        number % 60 as minute_of_hour
    from minutes
)

select
    minute_of_day as time_of_day_key,
    {{ two_digits('hour_of_day') }} || ':' || {{ two_digits('minute_of_hour') }} as time_of_day,
    hour_of_day,
    minute_of_hour,
    {{ two_digits('hour_of_day') }} || ':00-' || {{ two_digits('hour_of_day') }} || ':59' as hour_band,
    case
        when hour_of_day < 6 then 'Night'
        when hour_of_day < 10 then 'Early morning'
        when hour_of_day < 12 then 'Late morning'
        when hour_of_day < 14 then 'Midday'
        when hour_of_day < 17 then 'Afternoon'
        when hour_of_day < 21 then 'Evening'
        else 'Late evening'
    end as day_part
from hours
{{ with_special_members() }}
