{# What periods are called: in the calendar, and in the cube. #}

{# 2017-03-12 -> '2017-03-12', '2017-W10', '2017-03', '2017-Q1', '2017' or '(all)'. #}
{% macro period_name(period, day) -%}
    {%- set year = "cast(year(" ~ day ~ ") as string)" -%}
    {%- if period == 'all' -%} '(all)'
    {%- elif period == 'year' -%} {{ year }}
    {%- elif period == 'quarter' -%} {{ year }} || '-Q' || cast(quarter({{ day }}) as string)
    {%- elif period == 'month' -%} {{ year }} || '-' || {{ two_digits('month(' ~ day ~ ')') }}
    {%- elif period == 'week' -%} cast({{ iso_year(day) }} as string) || '-W' || {{ two_digits(iso_week(day)) }}
    {%- else -%} cast({{ day }} as string)
    {%- endif -%}
{%- endmacro %}

{# 'R2017-Q1', 'R2017-02', 'R2017-W06': the R keeps them apart from calendar periods. #}
{% macro retail_period_name(period, year, month, week) -%}
    {%- set begins = "'R' || cast(" ~ year ~ " as string)" -%}
    {%- if period == 'quarter' -%}
        {{ begins }} || '-Q' || cast(cast(floor(({{ month }} - 1) / 3) as integer) + 1 as string)
    {%- elif period == 'month' -%} {{ begins }} || '-' || {{ two_digits(month) }}
    {%- else -%} {{ begins }} || '-W' || {{ two_digits(week) }}
    {%- endif -%}
{%- endmacro %}
