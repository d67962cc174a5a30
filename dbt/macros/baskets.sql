{#
  Baskets: what is bought together. A basket is an order (source system and order id) within a month, with the items of
  its lines of positive quantity; returns are no lines. A basket's items at a level are the distinct names it has there;
  what has no name at a level is no item. Thresholds are in seeds/basket_levels.csv; a change there, or here, rebuilds.
#}

{# Calendar months a rule is counted over, up to the one with a system's newest order; none: all history. #}
{% macro basket_window_months() -%}
    {{ return(12) }}
{%- endmacro %}

{# Level -> columns of dim_product that tell its items apart within a source system, the name last. #}
{% macro basket_item_columns() -%}
    {{ return({
        'department': ['department'],
        'category': ['department', 'category'],
        'product_type': ['department', 'category', 'product_type'],
        'brand': ['brand'],
        'product': ['product_id'],
    }) }}
{%- endmacro %}

{# First month of a system's window, from its newest one. #}
{% macro basket_window_start(newest_month) -%}
    {%- set months = basket_window_months() -%}
    {{ add_months(newest_month, 1 - months) if months else first_day() }}
{%- endmacro %}

{# Versions of the products that are items at a level, with the item's key; none where the level is not asked for. #}
{% macro basket_members(level) -%}
    {%- set columns = basket_item_columns()[level] -%}
    select
        products.*,
        {{ hash_key(["'" ~ level ~ "'", 'products.source_system'] + columns) }} as item_key
    from {{ ref('dim_product') }} as products
    inner join {{ ref('basket_levels') }} as levels on levels.item_level = '{{ level }}'
    where products.product_key > 0 and products.{{ columns[-1] }} is not null
{%- endmacro %}

{#
  One row per month, order and item of a level: what is in the baskets. `days` is a condition on the order date, `items`
  a relation of the items that are asked for, by item_key; all of them if none.
#}
{% macro basket_contents(level, days, items=none) -%}
    select distinct
        {{ first_of('month', 'lines.order_date') }} as month_start_date,
        lines.order_id,
        {{ 'items.system_number' if items else 'members.source_system' }},
        members.item_key
    from {{ ref('fct_sales_line') }} as lines
    inner join ({{ basket_members(level) }}) as members on lines.product_key = members.product_key
    {%- if items %}
    inner join {{ items }} as items on members.item_key = items.item_key
    {%- endif %}
    where lines.quantity > 0 and {{ days }}
{%- endmacro %}

{# Items of one basket two by two, and how many baskets of a month hold both; in months not counted whole the risen ones. #}
{% macro basket_pairs(contents, months, risen) -%}
    select
        left_items.month_start_date,
        left_items.item_key as item_a_key,
        right_items.item_key as item_b_key,
        count(*) as baskets
    from {{ contents }} as left_items
    inner join {{ contents }} as right_items
        on left_items.order_id = right_items.order_id
        and left_items.month_start_date = right_items.month_start_date
        and left_items.system_number = right_items.system_number
        and left_items.item_key <= right_items.item_key
    {%- if risen %}
    where
        {{ in_months('left_items.month_start_date', months) }}
        or left_items.item_key in ({{ risen | join(', ') }})
        or right_items.item_key in ({{ risen | join(', ') }})
    {%- endif %}
    group by left_items.month_start_date, left_items.item_key, right_items.item_key
{%- endmacro %}

{# The lines whose baskets are paired: of the months counted whole, and of baskets with a risen item. #}
{% macro counted_basket_days(level, months, risen) -%}
    lines.order_date >= items.window_start_date
    {%- if months is not none %}
    and (
        {{ in_months('lines.order_date', months) }}
        {%- if risen %}
        or lines.order_id in (
            select held.order_id
            from {{ ref('fct_sales_line') }} as held
            inner join ({{ basket_members(level) }}) as risen on held.product_key = risen.product_key
            where risen.item_key in ({{ risen | join(', ') }})
        )
        {%- endif %}
    )
    {%- endif %}
{%- endmacro %}

{#
  Months whose pairs a load counts anew: those it touched, and those of a window that the table has nothing of; none: all.
  Asked for before any condition, so that dbt sees the edges when it parses.
#}
{% macro basket_months_to_count() -%}
    {%- set months = sales_months() -%}
    {%- set baskets, windows = ref('basket_months'), ref('basket_windows') -%}
    {%- if not is_incremental() -%} {{ return(none) }} {%- endif -%}
    {%- set found = run_query(
        'select distinct cast(months.month_start_date as string) from ' ~ baskets ~ ' as months'
        ~ ' inner join ' ~ windows ~ ' as windows on months.source_system = windows.source_system'
        ~ ' and months.month_start_date >= windows.window_start_date'
        ~ ' left join (select distinct source_system, month_start_date from ' ~ this ~ ') as held'
        ~ ' on months.source_system = held.source_system and months.month_start_date = held.month_start_date'
        ~ ' where held.source_system is null'
    ) -%}
    {{ return((months + (found.columns[0].values() | list)) | unique | sort) }}
{%- endmacro %}

{# Level -> keys of the items that are frequent now and that the table of pairs has nothing of. #}
{% macro risen_basket_items() -%}
    {%- set items = ref('basket_items') -%}
    {%- set risen = {} -%}
    {%- if is_incremental() -%}
        {%- set found = run_query(
            'select item_level, cast(item_key as string) from ' ~ items ~ ' as items where not exists (select 1 from '
            ~ this ~ ' as held where held.item_a_key = items.item_key and held.item_a_key = held.item_b_key)'
            ~ ' order by 1, 2'
        ) -%}
        {%- for row in found.rows -%}
            {%- do risen.setdefault(row[0], []).append(row[1]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(risen) }}
{%- endmacro %}

{# Pre-hook: takes out the months that are counted anew or left the window, and pairs of items no longer frequent. #}
{% macro forget_basket_pairs() -%}
    {%- set months = basket_months_to_count() -%}
    {%- set items, windows = ref('basket_items'), ref('basket_windows') -%}
    {%- if months is not none -%}
        {%- set gone -%}
    {{ in_months('fact.month_start_date', months) }}
    or not exists (select 1 from {{ items }} as items where items.item_key = fact.item_a_key)
    or not exists (select 1 from {{ items }} as items where items.item_key = fact.item_b_key)
    or exists (
        select 1
        from {{ windows }} as windows
        where fact.source_system = windows.source_system and fact.month_start_date < windows.window_start_date
    )
        {%- endset -%}
        {{ delete_rows(this, gone) }}
    {%- endif -%}
{%- endmacro %}

{# What the next best product is looked for by: the level, how many a person gets, how many rules lead to each item. #}
{% macro next_best_rules() -%}
    {{ return({'level': 'category', 'offers': 3, 'rules_an_item': 20}) }}
{%- endmacro %}
