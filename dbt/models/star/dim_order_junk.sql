-- One row per combination of small attributes that occurs among orders: state, freight, tax, currency, promise.
-- A junk dimension: it keeps narrow columns out of the fact and offers them together.
-- Combinations seen for the first time are added, those of outdated versions too; none goes when its last order does.
{{ config(materialized='incremental', incremental_strategy='append') }}

with
combinations as (
    select distinct {{ order_junk_key('orders') }} as order_junk_key, {{ order_junk_columns('orders') }}
    from {{ ref('orders') }} as orders
    where {{ in_this_load() }}
)

select order_junk_key, order_status, is_freight_charged, is_taxed, is_foreign_currency, is_promised
from combinations
{%- if is_incremental() %}
where
    not exists (
        select 1
        from {{ this }} as held
        where held.order_junk_key = combinations.order_junk_key
    )
{%- endif %}
{{ with_special_members() }}
