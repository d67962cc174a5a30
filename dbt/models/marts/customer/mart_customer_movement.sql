-- One row per month, way of parting customers, and pair of parts: who moved from one to the other in that month.
-- Additive over pairs within one month and way. Who was no customer the month before comes from '(new)'.
-- Months from the first one a load touches on are made anew.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_restated_months() }}",
) }}
{%- set parts = ['rfm_segment', 'pyramid_tier', 'lifecycle', 'state'] %}

with
people as (
    select
        month_start_date,
        mastered_customer_key,
        rfm_segment,
        coalesce(cast(pyramid_tier as string), '(none)') as pyramid_tier,
        lifecycle,
        state
    from {{ ref('fct_customer_month') }}
    where {{ in_restated_months('month_start_date', earlier=1) }}
),

moves as (
    select
        month_start_date,
        {{ parts | join(', ') }},
        {{ values_before(parts) }}
    from people
)

{% for part in parts -%}
select
    month_start_date,
    '{{ part }}' as parted_by,
    coalesce({{ part }}_before, '(new)') as from_part,
    {{ part }} as to_part,
    cast(count(*) as bigint) as customers
from moves
where {{ in_restated_months('month_start_date') }}
group by month_start_date, coalesce({{ part }}_before, '(new)'), {{ part }}
{{ "union all" if not loop.last }}
{% endfor %}
