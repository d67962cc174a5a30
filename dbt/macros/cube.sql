{#
  The sales cube: its grains, and how cells are made. Measures are those of the semantic model `sales`. A grain names the
  dimensions it keeps; everything else is rolled up to '(all)'. `period` is the calendar level.
#}

{# Column of the cube -> level of the dictionary. #}
{% macro sales_dimensions() -%}
    {{ return({
        'department': 'product.department',
        'category': 'product.category',
        'store_id': 'store.store_id',
        'age_band': 'customer.age_band',
        'income_band': 'customer.income_band',
    }) }}
{%- endmacro %}

{# Grains within one month: a load re-aggregates those of the months it touched. Only `counts` are counted, or all. #}
{% macro sales_month_grains() -%}
    {{ return({
        'day': {'period': 'day', 'by': []},
        'day_department': {'period': 'day', 'by': ['department'], 'counts': []},
        'month': {'period': 'month', 'by': []},
        'month_department': {'period': 'month', 'by': ['department']},
        'month_department_category': {'period': 'month', 'by': ['department', 'category']},
        'month_store': {'period': 'month', 'by': ['store_id']},
        'month_age_income': {'period': 'month', 'by': ['age_band', 'income_band']},
    }) }}
{%- endmacro %}

{#
  Grains across months. Orders and people can't be summed, so these are counted anew each load from the orders, a tenth
  of the lines; those by product come from a smaller table, which tells `counts` only, the measures it can count.
#}
{% macro sales_grains() -%}
    {{ return({
        'total': {'period': 'all', 'by': []},
        'year': {'period': 'year', 'by': []},
        'quarter': {'period': 'quarter', 'by': []},
        'week': {'period': 'week', 'by': []},
        'department': {
            'period': 'all', 'by': ['department'],
            'table': 'sales_customer_months', 'day': 'month_start_date', 'counts': ['buyers'],
        },
        'department_category': {
            'period': 'all', 'by': ['department', 'category'],
            'table': 'sales_month_grains', 'day': 'period_start_date', 'counts': [],
            'where': "grain = 'month_department_category'",
        },
        'store': {'period': 'all', 'by': ['store_id']},
        'age_income': {'period': 'all', 'by': ['age_band', 'income_band']},
    }) }}
{%- endmacro %}

{# The measures that count members and that a grain tells. #}
{% macro counts_of(declared) -%}
    {{ return(declared.get('counts', counted_measures('sales').keys() | list)) }}
{%- endmacro %}

{#
  The cells of one grain: `source` aggregated over every dimension the grain does not keep. `measures` maps name -> SQL
  over the source, or none where the source can't tell; `day` is the date column of the source; `within_month` also keeps
  the month the cell lies in, by which a load replaces cells.
#}
{% macro rolled_up(grain, declared, measures, source, day, where, within_month=false) -%}
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
    {%- for dimension in sales_dimensions() %}
    {{ dimension if dimension in kept else "'(all)'" }} as {{ dimension }},
    {%- endfor %}
    {{ 'store_key' if 'store_key' in kept else 'cast(null as bigint)' }} as store_key,
    {{ measure_columns(measures) }}
from {{ source }}
where {{ where }}
{{ 'group by ' ~ groups | join(', ') if groups else 'having count(*) > 0' }}
{%- endmacro %}

{# The columns of `rolled_up`, in its order. #}
{% macro cell_columns() -%}
    {%- set columns = ['grain', 'period', 'period_start_date'] + sales_dimensions().keys() | list + ['store_key'] -%}
    {{ (columns + (summed_measures('sales').keys() | list) + (counted_measures('sales').keys() | list)) | join(', ') }}
{%- endmacro %}

{# The columns of measures, as `sales_measures` gives them. #}
{% macro measure_columns(measures) -%}
    {%- for name, measure in measures.items() %}
    cast({{ measure.sql }} as {{ measure.type }}) as {{ name }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The columns of the measures that are sums, from a table that has them. #}
{% macro summed_columns(alias) -%}
    {%- for measure in summed_measures('sales') %}
    {{ alias }}.{{ measure }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# For tests: whether two rows differ in any measure that is a sum. #}
{% macro sums_differ(left, right) -%}
    {%- for measure in sales_measures() -%}
    {{ " or " if not loop.first }}{{ left }}.{{ measure }} is distinct from {{ right }}.{{ measure }}
    {%- else -%} false
    {%- endfor -%}
{%- endmacro %}

{#
  Measures of the cube over lines (`of_lines`), or over what is summed already: name -> {'sql', 'type'}. Of those that
  count members the `counted` are counted and the others NULL; all are left out if none is given.
#}
{% macro sales_measures(of_lines=false, counted=none) -%}
    {%- set found = {} -%}
    {%- for name, measure in summed_measures('sales').items() -%}
        {%- do found.update({name: {
            'sql': 'sum(' ~ (measure.expr if of_lines else name) ~ ')', 'type': measure.type
        }}) -%}
    {%- endfor -%}
    {%- for name, measure in counted_measures('sales').items() if counted is not none -%}
        {%- do found.update({name: {
            'sql': 'count(distinct ' ~ measure.expr ~ ')' if name in counted else 'null', 'type': measure.type
        }}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# Post-hook: one view a grain, so that nobody sums over grains by accident. #}
{% macro create_sales_views() %}
    {%- set tables = {
        ref('sales_month_grains'): sales_month_grains(),
        this: sales_grains(),
    } -%}
    {%- for table, grains in tables.items() -%}
    {%- for grain, declared in grains.items() %}
        {%- set name = 'sales_by_' ~ grain if grain != 'total' else 'sales_total' -%}
        {%- set measures = (summed_measures('sales').keys() | list) + counts_of(declared) -%}
        {%- set columns = ['period', 'period_start_date'] + sales_dimensions().keys() | list + measures -%}
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
