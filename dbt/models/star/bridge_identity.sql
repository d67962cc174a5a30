-- One row per source customer and span of days in which it belonged to one mastered customer.
-- No measures. Facts keep the customer of their source; join by it and is_current to count people once.
-- Cut anew each load from all records: a record learnt late can link or part others, and facts are never touched.
-- A key that two customers of one system hold at a time says nothing and links nobody (declared links excepted).
with
{{ spread_labels('mastered', ref('identity_links'), scope=['group_label', 'link_day']) }},

best as (
    select
        links.group_label, links.link_day, links.customer_durable_key, links.method, links.confidence,
        row_number() over (
            partition by links.group_label, links.link_day, links.customer_durable_key
            order by links.confidence desc, links.method asc nulls last
        ) as preference
    from {{ ref('identity_links') }} as links
),

people as (
    select distinct group_label, customer_durable_key
    from {{ ref('identity_members') }}
),

states as (
    select
        link_days.group_label, link_days.link_day, people.customer_durable_key,
        coalesce(mastered_spread.label, people.customer_durable_key) as mastered_customer_key,
        coalesce(best.method, 'own record') as method,
        coalesce(best.confidence, cast(1 as decimal(5, 4))) as confidence
    from {{ ref('identity_days') }} as link_days
    inner join people on link_days.group_label = people.group_label
    left join mastered_spread
        on link_days.group_label = mastered_spread.group_label
        and link_days.link_day = mastered_spread.link_day
        and people.customer_durable_key = mastered_spread.customer_durable_key
    left join best
        on link_days.group_label = best.group_label
        and link_days.link_day = best.link_day
        and people.customer_durable_key = best.customer_durable_key
        and best.preference = 1
),

changes as (
    select
        *,
        lag(mastered_customer_key) over (
            partition by customer_durable_key order by link_day nulls last
        ) as master_before,
        lag(method) over (partition by customer_durable_key order by link_day nulls last) as method_before,
        lag(confidence) over (partition by customer_durable_key order by link_day nulls last) as confidence_before
    from states
),

linked as (
    select
        customer_durable_key, mastered_customer_key, method, confidence, link_day as valid_from,
        coalesce(
            lead(link_day) over (partition by customer_durable_key order by link_day nulls last),
            {{ last_day_of_time() }}
        ) as valid_to
    from changes
    where
        master_before is distinct from mastered_customer_key
        or method_before is distinct from method
        or confidence_before is distinct from confidence
),

alone as (
    select
        customers.customer_durable_key,
        customers.customer_durable_key as mastered_customer_key,
        case when customers.customer_durable_key > 0 then 'own record' else '(not a customer)' end as method,
        cast(1 as decimal(5, 4)) as confidence,
        {{ first_day() }} as valid_from,
        {{ last_day_of_time() }} as valid_to
    from {{ ref('dim_customer') }} as customers
    where
        customers.is_current
        and not exists (
            select 1
            from linked
            where linked.customer_durable_key = customers.customer_durable_key
        )
)

select *, valid_to = {{ last_day_of_time() }} as is_current
from linked
union all
select *, true as is_current
from alone
