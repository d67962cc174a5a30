{#
  What the cube's tables are made of: the lines of the months a load touches, with numbers in place of names. Cells are
  grouped by numbers and named afterwards: of 14.6M lines the base cuboid takes 15 CPU seconds so, 29 grouped by names.
#}

{% macro sales_lines_numbered(with_bands=false) -%}
    select
        lines.*,
        {{ first_of('month', 'lines.order_date') }} as month_start_date,
        products.department_number,
        products.category_number
        {{- ", profiles.income_band_number" if with_bands }}
    from {{ ref('sales_lines') }} as lines
    inner join ({{ numbered_products() }}) as products on lines.product_key = products.product_key
    {%- if with_bands %}
    inner join ({{ numbered_profiles() }}) as profiles on lines.customer_profile_key = profiles.customer_profile_key
    {%- endif %}
    where {{ in_sales_months('lines.order_date') }}
{%- endmacro %}

{% macro numbered_products() -%} {{ numbered(ref('dim_product'), 'product_key', ['department', 'category']) }}
{%- endmacro %}

{% macro numbered_profiles() -%}
    {{ numbered(ref('dim_customer_profile'), 'customer_profile_key', ['age_band', 'income_band']) }}
{%- endmacro %}

{#
  Members of a dimension with the names the cube tells them apart by; what nobody told is '(unknown)'. <name>_number is
  one for each combination of that name and those before it.
#}
{% macro numbered(dimension, key, names) -%}
    select
        {{ key }},
        {%- for name in names %}
        {{ name }},
        cast(dense_rank() over (order by {{ names[:loop.index] | join(' nulls last, ') }} nulls last) as int) as {{ name }}_number
        {{- "," if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ key }},
            {%- for name in names %}
            coalesce({{ name }}, '(unknown)') as {{ name }}{{ "," if not loop.last }}
            {%- endfor %}
        from {{ dimension }}
    ) as members
{%- endmacro %}

{# One row per number: the names that it stands for. #}
{% macro names_of(names, numbered) -%}
    select distinct {{ names[-1] }}_number, {{ names | join(', ') }} from ({{ numbered }}) as numbered
{%- endmacro %}

{#
  The cells of a grain by product within a month, from the lines. Members are counted over the distinct ones of each
  cell, which takes half as long as count(distinct) beside the sums.
#}
{% macro rolled_up_products(grain, declared) -%}
    {%- set number = declared.by[-1] ~ '_number' -%}
    {%- set day = 'order_date' if declared.period == 'day' else 'month_start_date' -%}
    {%- set keys = ['month_start_date', 'order_date', number] if declared.period == 'day' else ['month_start_date', number] -%}
    {%- set keys = keys | join(', ') -%}
select
    '{{ grain }}' as grain,
    {{ period_name(declared.period, 'cells.' ~ day) }} as period,
    cells.{{ day }} as period_start_date,
    cells.month_start_date,
    {%- for dimension in sales_dimensions() %}
    {{ 'names.' ~ dimension if dimension in declared.by else "'(all)'" }} as {{ dimension }},
    {%- endfor %}
    cast(null as bigint) as store_key,
    {{ summed_columns('cells') }},
    {%- for name, measure in counted_measures('sales').items() %}
    cast({{ 'counted_' ~ name ~ '.members' if name in counts_of(declared) else 'null' }} as {{ measure.type }}) as {{ name }}
    {{- "," if not loop.last }}
    {%- endfor %}
from (
    select {{ keys }}, {{ measure_columns(sales_measures(of_lines=true)) }}
    from ({{ sales_lines_numbered() }}) as lines
    group by {{ keys }}
) as cells
inner join ({{ names_of(declared.by, numbered_products()) }}) as names on cells.{{ number }} = names.{{ number }}
{%- for name, measure in counted_measures('sales').items() if name in counts_of(declared) %}
inner join (
    select {{ keys }}, count(member) as members
    from (
        select distinct {{ keys }}, {{ measure.expr }} as member
        from ({{ sales_lines_numbered() }}) as lines
    ) as members
    group by {{ keys }}
) as counted_{{ name }}
    on cells.{{ day }} = counted_{{ name }}.{{ day }} and cells.{{ number }} = counted_{{ name }}.{{ number }}
{%- endfor %}
{%- endmacro %}
