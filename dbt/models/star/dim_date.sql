-- One row per day, plus the unknown and the not applicable date.
-- Role-playing: facts refer to it as order date, week date, assigned date and so on. Never changes with a load.
-- The retail calendar is the National Retail Federation's 4-5-4: a year begins on the Sunday on or after 29 January;
-- a quarter has months of 4, 5 and 4 weeks; the 53rd week, if there is one, belongs to the last month (January).
with
days as (
    select
        calendar_date,
        cast(year(calendar_date) as integer) as calendar_year,
        {{ retail_year_start('year(calendar_date)') }} as this_start,
        {{ retail_year_start('year(calendar_date) - 1') }} as previous_start
    from {{ ref('calendar_days') }}
),

retail_weeks as (
    select
        calendar_date,
        case when calendar_date >= this_start then calendar_year else calendar_year - 1 end as retail_year,
        cast(floor({{ days_from(
            'case when calendar_date >= this_start then this_start else previous_start end', 'calendar_date'
        ) }} / 7) as integer) + 1 as retail_week
    from days
),

retail_months as (
    select
        calendar_date, retail_year, retail_week,
        case
            when retail_week <= 4 then 1
            when retail_week <= 9 then 2
            when retail_week <= 13 then 3
            when retail_week <= 17 then 4
            when retail_week <= 22 then 5
            when retail_week <= 26 then 6
            when retail_week <= 30 then 7
            when retail_week <= 35 then 8
            when retail_week <= 39 then 9
            when retail_week <= 43 then 10
            when retail_week <= 48 then 11
            else 12
        end as retail_month
    from retail_weeks
)

select
    {{ date_key('d.calendar_date') }} as date_key,
    d.calendar_date,
    cast(year(d.calendar_date) as integer) as calendar_year,
    cast(quarter(d.calendar_date) as integer) as calendar_quarter,
    cast(month(d.calendar_date) as integer) as calendar_month,
    {{ month_name('month(d.calendar_date)') }} as month_name,
    {{ first_of('month', 'd.calendar_date') }} as month_start_date,
    cast(day(d.calendar_date) as integer) as day_of_month,
    {{ days_from(first_of('year', 'd.calendar_date'), 'd.calendar_date') }} + 1 as day_of_year,
    {{ iso_weekday('d.calendar_date') }} as iso_weekday,
    {{ weekday_name(iso_weekday('d.calendar_date')) }} as weekday_name,
    {{ iso_weekday('d.calendar_date') }} >= 6 as is_weekend,
    {{ iso_year('d.calendar_date') }} as iso_year,
    {{ iso_week('d.calendar_date') }} as iso_week,
    {{ first_of('week', 'd.calendar_date') }} as week_start_date,
    d.retail_year,
    cast(floor((d.retail_month - 1) / 3) as integer) + 1 as retail_quarter,
    d.retail_month,
    {{ month_name('d.retail_month % 12 + 1') }} as retail_month_name,
    d.retail_week,
    {{ add_days('d.calendar_date', '-(' ~ iso_weekday('d.calendar_date') ~ ' % 7)') }} as retail_week_start_date,
    holidays.holiday_date is not null as is_holiday,
    holidays.holiday_name,
    {{ period_name('quarter', 'd.calendar_date') }} as year_quarter,
    {{ period_name('month', 'd.calendar_date') }} as year_month,
    {{ period_name('week', 'd.calendar_date') }} as iso_year_week,
    {{ retail_period_name('quarter', 'd.retail_year', 'd.retail_month', 'd.retail_week') }} as retail_year_quarter,
    {{ retail_period_name('month', 'd.retail_year', 'd.retail_month', 'd.retail_week') }} as retail_year_month,
    {{ retail_period_name('week', 'd.retail_year', 'd.retail_month', 'd.retail_week') }} as retail_year_week
from retail_months as d
left join {{ ref('us_holidays') }} as holidays on d.calendar_date = holidays.holiday_date
{{ with_special_members({'is_weekend': 'false', 'is_holiday': 'false'}) }}
