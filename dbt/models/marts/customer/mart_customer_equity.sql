-- One row per way of parting customers and part, as of the newest month: the sum of what its customers are worth.
-- Additive over the parts of one way: customers, historic and expected value; not over ways.
-- Made whole each load. All who ever ordered are in it, those too that their source has deleted since.
{%- set parts = {
    'rfm_segment': "newest.rfm_segment",
    'pyramid_tier': "coalesce(tiers.tier_name, '(none)')",
    'lifecycle': "newest.lifecycle",
    'state': "newest.state",
    'all': "'(all)'",
} %}

with
newest as (
    select *
    from {{ ref('fct_customer_month') }}
    where month_start_date = (select max(months.month_start_date) from {{ ref('customer_months') }} as months)
)

{% for parted_by, part in parts.items() -%}
select
    '{{ parted_by }}' as parted_by,
    {{ part }} as part,
    max(newest.as_of_date) as as_of_date,
    cast(count(*) as bigint) as customers,
    cast(sum(worth.historic_value) as decimal(19, 4)) as historic_value,
    cast(sum(worth.expected_present_value) as decimal(19, 4)) as expected_present_value,
    -- decimals add up to the same in any order
    {{ ratio('sum(cast(worth.p_alive as decimal(18, 12)))', 'count(*)') }} as mean_p_alive
from {{ ref('mart_customer_value') }} as worth
inner join newest on worth.mastered_customer_key = newest.mastered_customer_key
left join {{ ref('pyramid_tiers') }} as tiers on newest.pyramid_tier = tiers.pyramid_tier
group by {{ part }}
{{ "union all" if not loop.last }}
{% endfor %}
