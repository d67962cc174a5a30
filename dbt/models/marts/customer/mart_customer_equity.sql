-- One row per way of parting customers and part, as of the newest month: the sum of what its customers are worth.
-- Additive over the parts of one way: customers, historic and expected value; not over ways.
-- Made whole each load.
{%- set parts = {
    'rfm_segment': "customers.rfm_segment",
    'pyramid_tier': "coalesce(customers.tier_name, '(none)')",
    'lifecycle': "customers.lifecycle",
    'state': "customers.state",
    'all': "'(all)'",
} %}

{% for parted_by, part in parts.items() -%}
select
    '{{ parted_by }}' as parted_by,
    {{ part }} as part,
    max(customers.as_of_date) as as_of_date,
    cast(count(*) as bigint) as customers,
    cast(sum(worth.historic_value) as decimal(19, 4)) as historic_value,
    cast(sum(worth.expected_present_value) as decimal(19, 4)) as expected_present_value,
    -- decimals add up to the same in any order
    {{ ratio('sum(cast(worth.p_alive as decimal(18, 12)))', 'count(*)') }} as mean_p_alive
from {{ ref('mart_customer_value') }} as worth
inner join {{ ref('mart_customer_360') }} as customers on worth.mastered_customer_key = customers.mastered_customer_key
group by {{ part if parted_by != 'all' else "'(all)'" }}
{{ "union all" if not loop.last }}
{% endfor %}
