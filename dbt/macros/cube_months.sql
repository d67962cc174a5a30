{# Which months, and periods around them, a load makes anew in the tables of the sales cube. #}

{# Months to re-aggregate. Asked for before any condition, so that dbt sees the edge when it parses. #}
{% macro sales_months() -%}
    {%- set restated = ref('restated_sales_months') -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {%- set found = run_query('select cast(month_start_date as string) from ' ~ restated ~ ' order by 1') -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}

{% macro in_sales_months(column) -%}
    {%- set months = sales_months() -%}
    {%- if is_incremental() -%} {{ in_months(column, months) }}
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}

{#
  For the grains of years, quarters and weeks: the periods around the touched months are made anew, the others taken from
  the table as it was (`kept_grains`), if there is one to grow from. Over all periods people can only be counted anew.
#}
{% macro in_sales_periods(period, column) -%}
    {%- set months = sales_months() -%}
    {%- if not kept_grains() -%} true
    {%- elif not months -%} false
    {%- else -%}
    (
        {%- for month in months %}
        {%- set last_day = add_days(add_months("date '" ~ month ~ "'", 1), -1) -%}
        {%- set first_day = first_of(period, last_day) %}
        (
            {{ column }} >= {{ first_of(period, "date '" ~ month ~ "'") }}
            and {{ column }} < {{
                add_days(first_day, 7) if period == 'week' else add_months(first_day, {'quarter': 3, 'year': 12}[period])
            }}
        )
        {{- " or" if not loop.last }}
        {%- endfor %}
    )
    {%- endif -%}
{%- endmacro %}

{% macro kept_grains() -%}
    {{ return(adapter.dispatch('kept_grains')()) }}
{%- endmacro %}

{% macro default__kept_grains() -%}
    {{ return(built_table('cube', 'sales_grains') if execute and not rebuilt('sales_grains') else none) }}
{%- endmacro %}

{# Pre-hook: takes the touched months out before they are added again; literal dates keep it off the other months. #}
{% macro forget_sales_months() %}
    {%- set months = sales_months() -%}
    {%- if is_incremental() and months -%}
{{ delete_rows(this, in_months('month_start_date', months)) }}
    {%- endif -%}
{% endmacro %}

{# For tests: the months a load re-aggregated; all of them when the cube was rebuilt. #}
{% macro in_tested_months(column) -%}
    {%- set months = sales_months() -%}
    {%- if rebuilt('sales_base') -%} true
    {%- else -%} {{ in_months(column, months) }}
    {%- endif -%}
{%- endmacro %}
