-- One row per way of parting customers and part: the sum of what its customers are worth, by where they stand in the
-- newest month. As of as_of_date: the fit's day, or the newest with orders before the first fit (told_by `fallback`).
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
),

fitted as (
    select
        max(case when role = 'purchases' and is_chosen then model end) as told_by,
        max(as_of) as as_of_date
    from {{ ref('clv_fit') }}
)

{% for parted_by, part in parts.items() -%}
select
    '{{ parted_by }}' as parted_by,
    {{ part }} as part,
    coalesce(max(fitted.as_of_date), max(newest.as_of_date)) as as_of_date,
    coalesce(max(fitted.told_by), 'fallback') as told_by,
    cast(count(*) as bigint) as customers,
    cast(sum(worth.historic_value) as decimal(19, 4)) as historic_value,
    cast(sum(worth.expected_present_value) as decimal(19, 4)) as expected_present_value,
    -- decimals add up to the same in any order
    {{ ratio('sum(cast(worth.p_alive as decimal(18, 12)))', 'count(*)') }} as mean_p_alive
from {{ ref('mart_customer_value') }} as worth
inner join newest on worth.mastered_customer_key = newest.mastered_customer_key
cross join fitted
left join {{ ref('pyramid_tiers') }} as tiers on newest.pyramid_tier = tiers.pyramid_tier
group by {{ part }}
{{ "union all" if not loop.last }}
{% endfor %}
