-- One row per mastered customer and attribute that somebody told: which record its value comes from, by which rule.
-- No measures. Provenance of dim_mastered_customer; cut anew each load with it.
{%- for attribute, rule in survivorship().items() %}
select
    mastered_customer_key,
    '{{ attribute }}' as attribute_name,
    cast({{ attribute }} as string) as attribute_value,
    '{{ rule }}' as survivorship_rule,
    customer_durable_key, source_system, source_feed, customer_id
from {{ ref('customer_records') }}
where {{ attribute }}_rank = 1 and {{ attribute }} is not null
{{ "union all" if not loop.last }}
{%- endfor %}
