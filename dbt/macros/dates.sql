{# Date arithmetic in one place: engines differ here more than anywhere else. Spark's words are in engines/spark. #}

{% macro first_day() %}date '1900-01-01'{% endmacro %}
{% macro last_day_of_time() %}date '9999-12-31'{% endmacro %}

{# 2017-03-12 -> 20170312; arithmetic is several times cheaper than formatting. #}
{% macro date_key(day) -%}
    cast(year({{ day }}) * 10000 + month({{ day }}) * 100 + day({{ day }}) as integer)
{%- endmacro %}

{# Wall-clock time in `zone` of a TIMESTAMP kept in UTC. #}
{% macro local_time(utc, zone) -%}{{ adapter.dispatch('local_time')(utc, zone) }}{%- endmacro %}
{% macro default__local_time(utc, zone) -%}
    ({{ utc }} at time zone 'UTC') at time zone '{{ zone }}'
{%- endmacro %}

{# UTC of a TIMESTAMP that is wall-clock time in `zone`; of an hour that happens twice the second one. #}
{% macro utc_time(local, zone) -%}{{ adapter.dispatch('utc_time')(local, zone) }}{%- endmacro %}
{% macro default__utc_time(local, zone) -%}
    ({{ local }} at time zone '{{ zone }}') at time zone 'UTC'
{%- endmacro %}

{# UTC of a TIMESTAMP WITH TIME ZONE, as a TIMESTAMP. #}
{% macro utc_moment(moment) -%}{{ adapter.dispatch('utc_moment')(moment) }}{%- endmacro %}
{% macro default__utc_moment(moment) -%}
    {{ moment }} at time zone 'UTC'
{%- endmacro %}

{# 0 = midnight ... 1439. #}
{% macro minute_of_day(moment) -%}
    cast(hour({{ moment }}) * 60 + minute({{ moment }}) as integer)
{%- endmacro %}

{% macro add_days(day, days) -%}{{ adapter.dispatch('add_days')(day, days) }}{%- endmacro %}
{% macro default__add_days(day, days) -%}
    cast({{ day }} + cast({{ days }} as integer) as date)
{%- endmacro %}

{% macro add_months(day, months) -%}{{ adapter.dispatch('add_months')(day, months) }}{%- endmacro %}
{% macro default__add_months(day, months) -%}
    cast({{ day }} + interval ({{ months }}) month as date)
{%- endmacro %}

{% macro days_from(earlier, later) -%}{{ adapter.dispatch('days_from')(earlier, later) }}{%- endmacro %}
{% macro default__days_from(earlier, later) -%}
    cast({{ later }} - {{ earlier }} as integer)
{%- endmacro %}

{# Boundaries of seconds between two moments, so fractions are cut off before the difference is taken. #}
{% macro seconds_from(earlier, later) -%}{{ adapter.dispatch('seconds_from')(earlier, later) }}{%- endmacro %}
{% macro default__seconds_from(earlier, later) -%}
    date_diff('second', {{ earlier }}, {{ later }})
{%- endmacro %}

{# Days between two moments to four decimals, so that an hour counts. #}
{% macro elapsed_days(earlier, later) -%}
    cast({{ seconds_from(earlier, later) }} / 86400.0 as decimal(12, 4))
{%- endmacro %}

{# Date key of a milestone, by the UTC day of a moment; not applicable until it is reached. #}
{% macro milestone_date_key(moment) -%}
    coalesce({{ date_key('cast(' ~ moment ~ ' as date)') }}, {{ not_applicable_key() }})
{%- endmacro %}

{% macro first_of(period, day) -%}
    cast(date_trunc('{{ period }}', {{ day }}) as date)
{%- endmacro %}

{# 1 = Monday ... 7 = Sunday. #}
{% macro iso_weekday(day) -%}{{ adapter.dispatch('iso_weekday')(day) }}{%- endmacro %}
{% macro default__iso_weekday(day) -%}
    cast(isodow({{ day }}) as integer)
{%- endmacro %}

{# The week's Thursday decides to which ISO year it belongs. #}
{% macro iso_year(day) -%}
    cast(year({{ add_days(first_of('week', day), 3) }}) as integer)
{%- endmacro %}

{% macro iso_week(day) -%}
    cast(weekofyear({{ day }}) as integer)
{%- endmacro %}

{# '1' -> '01' #}
{% macro two_digits(number) -%}
    lpad(cast({{ number }} as string), 2, '0')
{%- endmacro %}

{# One row a day, both ends included. #}
{% macro each_day(first, last) -%}{{ adapter.dispatch('each_day')(first, last) }}{%- endmacro %}
{% macro default__each_day(first, last) -%}
    select cast(calendar_date as date) as calendar_date
    from generate_series(date '{{ first }}', date '{{ last }}', interval 1 day) as days (calendar_date)
{%- endmacro %}

{# One row a number, both ends included. #}
{% macro each_number(first, last) -%}{{ adapter.dispatch('each_number')(first, last) }}{%- endmacro %}
{% macro default__each_number(first, last) -%}
    select cast(number as integer) as number
    from generate_series({{ first }}, {{ last }}) as numbers (number)
{%- endmacro %}

{# Names without the engine's locale or format codes. #}
{% macro month_name(number) -%}
    {{ name_of(number, ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
        'October', 'November', 'December']) }}
{%- endmacro %}

{% macro weekday_name(number) -%}
    {{ name_of(number, ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']) }}
{%- endmacro %}

{% macro name_of(number, names) -%}
    case {{ number }}{% for name in names %} when {{ loop.index }} then '{{ name }}'{% endfor %} end
{%- endmacro %}

{# The Sunday on or after 29 January, so that the year before ends on the Saturday nearest to 31 January. #}
{% macro retail_year_start(year) -%}
    {%- set january_29 = 'make_date(' ~ year ~ ', 1, 29)' -%}
    {{ add_days(january_29, '(7 - ' ~ iso_weekday(january_29) ~ ') % 7') }}
{%- endmacro %}

{# Calendar months between the months of two days. #}
{% macro months_from(earlier, later) -%}
    (12 * (year({{ later }}) - year({{ earlier }})) + month({{ later }}) - month({{ earlier }}))
{%- endmacro %}
