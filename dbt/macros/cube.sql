{#
  The sales cube, declared once: dimensions, measures and grains. A grain names the dimensions it keeps; everything
  else is rolled up to '(all)'. `period` is the calendar level; `source` is the grain a coarse one is summed from.
#}

{% macro sales_dimensions() -%}
    {{ return(['department', 'category', 'store_id', 'age_band', 'income_band']) }}
{%- endmacro %}

{% macro sales_measures() -%}
    {{ return({
        'net_sales': 'decimal(19, 4)',
        'gross_sales': 'decimal(19, 4)',
        'discount_retail': 'decimal(19, 4)',
        'discount_match': 'decimal(19, 4)',
        'discount_coupon': 'decimal(19, 4)',
        'units': 'bigint',
        'lines': 'bigint',
    }) }}
{%- endmacro %}

{# Grains within one month: a load re-aggregates those of the months it touched, from the base. #}
{% macro sales_month_grains() -%}
    {{ return({
        'day': {'period': 'day', 'by': []},
        'month': {'period': 'month', 'by': []},
        'month_department': {'period': 'month', 'by': ['department']},
        'month_department_category': {'period': 'month', 'by': ['department', 'category']},
        'month_store': {'period': 'month', 'by': ['store_id']},
        'month_age_income': {'period': 'month', 'by': ['age_band', 'income_band']},
    }) }}
{%- endmacro %}

{# Grains across months: summed whole each load from a grain above, a few thousand rows a year. #}
{% macro sales_grains() -%}
    {{ return({
        'total': {'period': 'all', 'by': [], 'source': 'month'},
        'year': {'period': 'year', 'by': [], 'source': 'month'},
        'quarter': {'period': 'quarter', 'by': [], 'source': 'month'},
        'week': {'period': 'week', 'by': [], 'source': 'day'},
        'department': {'period': 'all', 'by': ['department'], 'source': 'month_department'},
        'department_category': {
            'period': 'all', 'by': ['department', 'category'], 'source': 'month_department_category'
        },
        'store': {'period': 'all', 'by': ['store_id'], 'source': 'month_store'},
        'age_income': {'period': 'all', 'by': ['age_band', 'income_band'], 'source': 'month_age_income'},
    }) }}
{%- endmacro %}

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

{#
  The cells of one grain: `source` summed over every dimension the grain does not keep. `day` is the date column of the
  source; `within_month` also keeps the month the cell lies in, by which a load replaces cells.
#}
{% macro rolled_up(grain, declared, dimensions, measures, source, day, where, within_month=false) -%}
    {%- set kept = declared.by + (['store_key'] if 'store_id' in declared.by else []) -%}
    {%- set period_start = day if declared.period == 'day' else first_of(declared.period, day) -%}
    {%- set groups = kept + ([period_start] if declared.period != 'all' else []) -%}
    {%- set groups = groups + (['month_start_date'] if within_month else []) -%}
select
    '{{ grain }}' as grain,
    {{ period_name(declared.period, 'min(' ~ day ~ ')') }} as period,
    {{ period_start if declared.period != 'all' else 'cast(null as date)' }} as period_start_date,
    {%- if within_month %}
    month_start_date,
    {%- endif %}
    {%- for dimension in dimensions %}
    {{ dimension if dimension in kept else "'(all)'" }} as {{ dimension }},
    {%- endfor %}
    {{ 'store_key' if 'store_key' in kept else 'cast(null as bigint)' }} as store_key,
    {%- for measure, type in measures.items() %}
    cast(sum({{ measure }}) as {{ type }}) as {{ measure }}{{ "," if not loop.last }}
    {%- endfor %}
from {{ source }}
where {{ where }}
{{ 'group by ' ~ groups | join(', ') if groups else 'having count(*) > 0' }}
{%- endmacro %}

{# Months to re-aggregate, and the predicate on them; every month when the model is built from scratch. The months are
   asked for before the condition, so that dbt sees the edges when it parses. #}
{% macro sales_months() -%}
    {{ return(restated_months(
        ref('fct_sales_line'), 'order_date', 'order_lines', {'customer': 'customers', 'product': 'products'}
    )) }}
{%- endmacro %}

{% macro in_sales_months(column) -%}
    {%- set months = sales_months() -%}
    {%- if is_incremental() -%} {{ in_months(column, months) }}
    {%- else -%} true
    {%- endif -%}
{%- endmacro %}

{# Pre-hook: takes the touched months out before they are added again; literal dates keep it off the other months. #}
{% macro forget_sales_months() %}
    {%- set months = sales_months() -%}
    {%- if is_incremental() and months -%}
{{ delete_rows(this, in_months('month_start_date', months)) }}
    {%- endif -%}
{% endmacro %}

{# Post-hook: one view a grain, so that nobody sums over grains by accident. #}
{% macro create_sales_views() %}
    {%- set tables = {
        ref('sales_month_grains'): sales_month_grains(),
        this: sales_grains(),
    } -%}
    {%- for table, grains in tables.items() -%}
    {%- for grain, declared in grains.items() %}
        {%- set name = 'sales_by_' ~ grain if grain != 'total' else 'sales_total' -%}
        {%- set columns = ['period', 'period_start_date'] + sales_dimensions() + sales_measures().keys() | list -%}
        {%- set told -%}
Sales {{ 'by ' if declared.period != 'all' or declared.by }}
    {{- ([declared.period] if declared.period != 'all' else []) | join }}
    {{- ' and ' if declared.period != 'all' and declared.by }}{{ declared.by | join(' and ') }}
    {{- 'in all' if declared.period == 'all' and not declared.by }}; every other dimension is rolled up to (all).
        {%- endset -%}
        {{ adapter.dispatch('grain_view')(this.schema ~ '.' ~ name, columns, table, grain, told) }}
    {%- endfor -%}
    {%- endfor -%}
{% endmacro %}

{% macro default__grain_view(view, columns, table, grain, told) %}
create or replace view {{ view }} as
select {{ columns | join(', ') }}
from {{ table.include(database=false) }}
where grain = '{{ grain }}';
comment on view {{ view }} is '{{ told }}';
{% endmacro %}

{# For tests: the months a load re-aggregated; all of them when the cube was rebuilt. #}
{% macro in_tested_months(column) -%}
    {%- set months = sales_months() -%}
    {%- if rebuilt('sales_base') -%} true
    {%- else -%} {{ in_months(column, months) }}
    {%- endif -%}
{%- endmacro %}
