-- One row per landed row with a customer's personal data: whose it is and where it landed. Holds no values.
-- Rows are only added; an erasure finds with them what to rewrite.
{{ config(materialized='incremental', incremental_strategy='append', alias='customer_row') }}

with
described as (
    select source_system, customer_id, source_feed, load_id, load_row, op, effective_from, updated_at
    from {{ ref('customers') }}
    where source_feed in ({{ quoted(pii_feeds()) }}) and {{ in_this_load() }}
    {{ looked_up_people() }}
)

select
    {{ durable_key(['customer_id']) }} as customer_durable_key,
    source_system, customer_id, source_feed, load_id, load_row, op, effective_from, updated_at
from described
where customer_id is not null
