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
        {{- ", profiles.bands_number" if with_bands }}
    from {{ ref('sales_lines') }} as lines
    inner join ({{ numbered_products() }}) as products on lines.product_key = products.product_key
    {%- if with_bands %}
    inner join ({{ numbered_profiles() }}) as profiles on lines.customer_profile_key = profiles.customer_profile_key
    {%- endif %}
    where {{ in_sales_months('lines.order_date') }}
{%- endmacro %}

{# Versions of products with what the cube tells them apart by; what nobody told is '(unknown)'. #}
{% macro numbered_products() -%}
    select
        product_key,
        department,
        category,
        cast(dense_rank() over (order by department nulls last) as int) as department_number,
        cast(dense_rank() over (order by department nulls last, category nulls last) as int) as category_number
    from (
        select
            product_key,
            coalesce(department, '(unknown)') as department,
            coalesce(category, '(unknown)') as category
        from {{ ref('dim_product') }}
    ) as products
{%- endmacro %}

{% macro numbered_profiles() -%}
    select
        customer_profile_key,
        age_band,
        income_band,
        cast(dense_rank() over (order by age_band nulls last, income_band nulls last) as int) as bands_number
    from (
        select
            customer_profile_key,
            coalesce(age_band, '(unknown)') as age_band,
            coalesce(income_band, '(unknown)') as income_band
        from {{ ref('dim_customer_profile') }}
    ) as profiles
{%- endmacro %}

{# One row per number: `levels` are the names that it stands for. #}
{% macro names_of(number, levels, numbered) -%}
    select distinct {{ number }}, {{ levels | join(', ') }} from ({{ numbered }}) as numbered
{%- endmacro %}

{#
  The cells of a grain by product within a month. Members are counted over the distinct ones of each cell, which takes
  half as long as count(distinct) beside the sums.
#}
{% macro rolled_up_products(grain, declared) -%}
    {%- set number = declared.by[-1] ~ '_number' -%}
    {%- set measures = sales_measures(of_lines=true) -%}
select
    '{{ grain }}' as grain,
    {{ period_name(declared.period, 'cells.month_start_date') }} as period,
    cells.month_start_date as period_start_date,
    cells.month_start_date,
    {%- for dimension in sales_dimensions() %}
    {{ 'names.' ~ dimension if dimension in declared.by else "'(all)'" }} as {{ dimension }},
    {%- endfor %}
    cast(null as bigint) as store_key,
    {{ summed_columns('cells') }},
    {%- for name, measure in counted_measures('sales').items() %}
    cast(counted_{{ name }}.members as {{ measure.type }}) as {{ name }}{{ "," if not loop.last }}
    {%- endfor %}
from (
    select month_start_date, {{ number }}, {{ measure_columns(measures) }}
    from ({{ sales_lines_numbered() }}) as lines
    group by month_start_date, {{ number }}
) as cells
inner join ({{ names_of(number, declared.by, numbered_products()) }}) as names on cells.{{ number }} = names.{{ number }}
{%- for name, measure in counted_measures('sales').items() %}
inner join (
    select month_start_date, {{ number }}, count(member) as members
    from (
        select distinct month_start_date, {{ number }}, {{ measure.expr }} as member
        from ({{ sales_lines_numbered() }}) as lines
    ) as members
    group by month_start_date, {{ number }}
) as counted_{{ name }}
    on cells.month_start_date = counted_{{ name }}.month_start_date and cells.{{ number }} = counted_{{ name }}.{{ number }}
{%- endfor %}
{%- endmacro %}
