{#
  Every member of dim_customer has exactly one current mastered customer, its spans cover all time without gap or
  overlap, and what links two records leads both to the same one (else identity_rounds() is too small).
#}
{% test linked_customers(model) %}
with
spans as (
    select
        *,
        lag(valid_to) over (partition by customer_durable_key order by valid_from) as previous_to,
        lead(valid_from) over (partition by customer_durable_key order by valid_from) as next_from
    from {{ model }}
),

current_keys as (
    select keys.method, keys.match_key, keys.source_system, bridge.mastered_customer_key
    from {{ ref('customer_match_keys') }} as keys
    inner join {{ model }} as bridge
        on keys.customer_durable_key = bridge.customer_durable_key and bridge.is_current
    where keys.valid_from < keys.valid_to and keys.valid_to = {{ last_day_of_time() }}
)

select cast(customer_durable_key as string) as broken, 'spans' as rule
from spans
where
    valid_from is distinct from coalesce(previous_to, {{ first_day() }})
    or valid_to is distinct from coalesce(next_from, {{ last_day_of_time() }})
    or is_current is distinct from (next_from is null)
union all
select cast(customers.customer_durable_key as string) as broken, 'missing' as rule
from {{ ref('dim_customer') }} as customers
left join {{ model }} as bridge
    on customers.customer_durable_key = bridge.customer_durable_key and bridge.is_current
where customers.is_current and bridge.customer_durable_key is null
union all
select method || ' ' || match_key as broken, 'not converged' as rule
from current_keys
where method = 'declared'
group by method, match_key
having count(distinct mastered_customer_key) > 1
union all
select method as broken, 'not converged' as rule
from current_keys
where method <> 'declared'
group by method, match_key
having count(distinct mastered_customer_key) > 1 and count(*) = count(distinct source_system)
{% endtest %}
