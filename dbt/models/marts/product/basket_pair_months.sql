-- One row per source system, level, month of the window and pair of frequent items that a basket of the month holds.
-- Additive over months: baskets, the orders that hold both. item_a_key <= item_b_key; an item's pair with itself is the
-- baskets that hold it. Only items that reach the minimum support in the window are paired: no other pair can reach it
-- (Agrawal and Srikant 1994), so every count above it is exact.
-- A load counts the months anew that it touched or that entered the window; in the others the baskets with an item that
-- became frequent, and pairs with one that no longer is are taken out.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_basket_pairs() }}",
) }}
{%- set months = basket_months_to_count() %}
{%- set risen = risen_basket_items() %}

with
frequent as (
    select
        item_key, item_level, source_system, window_start_date,
        cast(dense_rank() over (order by source_system nulls last) as integer) as system_number
    from {{ ref('basket_items') }}
),
{% for level in basket_item_columns() %}
{{ level }}_contents as (
    {{ basket_contents(level, counted_basket_days(level, months, risen.get(level)), 'frequent') }}
),
{% endfor %}
pairs as (
    {%- for level in basket_item_columns() %}
    {{ basket_pairs(level ~ '_contents', months, risen.get(level)) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
)

select
    items.source_system,
    items.item_level,
    pairs.month_start_date,
    pairs.item_a_key,
    pairs.item_b_key,
    cast(pairs.baskets as bigint) as baskets
from pairs
inner join frequent as items on pairs.item_a_key = items.item_key
order by pairs.month_start_date
