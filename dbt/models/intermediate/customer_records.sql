-- One row per customer as one system describes it today, with its place in the order of survivors for each attribute.
-- No measures. Rank 1 of an attribute is the record whose value the mastered customer takes; NULL values never survive.
{%- set rules = survivorship() %}
with
records as (
    select
        customers.*,
        bridge.mastered_customer_key,
        coalesce(batches.load_id, '') as learnt_load,
        coalesce(batches.source_feed, '') as source_feed,
        {{ trust_in('batches.source_feed') }} as source_trust,
        {% for attribute in rules -%}
        case when customers.{{ attribute }} is null then 0 else 1 end{{ " + " if not loop.last }}
        {%- endfor %} as told
    from {{ ref('dim_customer') }} as customers
    inner join {{ ref('bridge_identity') }} as bridge
        on customers.customer_durable_key = bridge.customer_durable_key and bridge.is_current
    left join {{ ref('dim_audit') }} as batches on customers.audit_key = batches.audit_key
    where customers.is_current and not customers.is_deleted and customers.customer_durable_key > 0
)

select
    customer_durable_key, mastered_customer_key, source_system, source_feed, customer_id,
    {{ survivor_columns() }}
from records
