-- One row per mastered customer: what all its records say together today (type 1).
-- No measures. Which record an attribute comes from is in mastered_customer_source; names and addresses: pii.duckdb.
-- Cut anew each load: it follows the current links.
{%- set rules = survivorship() %}
with
survivors as (
    select
        mastered_customer_key,
        {%- for attribute in rules %}
        max(case when {{ attribute }}_rank = 1 then {{ attribute }} end) as {{ attribute }},
        {%- endfor %}
        cast(count(*) as integer) as record_count,
        cast(count(distinct source_system) as integer) as system_count
    from {{ ref('customer_records') }}
    group by mastered_customer_key
)

select
    mastered_customer_key,
    {%- for attribute in rules %}
    {{ attribute }},
    {%- endfor %}
    record_count,
    system_count
from survivors
{{ with_special_members({'record_count': '0', 'system_count': '0'}) }}
