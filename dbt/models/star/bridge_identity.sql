-- One row per source customer and span of days in which it belonged to one mastered customer.
-- No measures. Facts keep the customer of their source; join by it and is_current to count people once.
-- Cut anew each load from all records: a record learnt late can link or part others, and facts are never touched.
-- A key that two customers of one system hold at a time says nothing and links nobody (declared links excepted).
with
shared as (
    select method, match_key
    from {{ ref('customer_match_keys') }}
    group by method, match_key
    having count(distinct customer_durable_key) > 1
),

linking as (
    select keys.*
    from {{ ref('customer_match_keys') }} as keys
    inner join shared on keys.method = shared.method and keys.match_key = shared.match_key
    where keys.valid_from < keys.valid_to
),

-- records that were ever linked; days are looked at within a group only
{{ spread_labels('grouped', 'linking') }},

members as (
    select linking.*, grouped_spread.label as group_label
    from linking
    inner join grouped_spread on linking.customer_durable_key = grouped_spread.customer_durable_key
),

-- days on which the links of a group change
days as (
    select group_label, valid_from as link_day
    from members
    union
    select group_label, valid_to as link_day
    from members
    where valid_to < {{ last_day_of_time() }}
    union
    select group_label, {{ first_day() }} as link_day
    from members
),

held as (
    select
        days.group_label, days.link_day,
        members.customer_durable_key, members.method, members.match_key, members.confidence,
        count(*) over (
            partition by days.group_label, days.link_day, members.method, members.match_key, members.source_system
        ) as holders_in_system,
        count(*) over (partition by days.group_label, days.link_day, members.method, members.match_key) as holders
    from days
    inner join members
        on days.group_label = members.group_label
        and days.link_day >= members.valid_from
        and days.link_day < members.valid_to
),

counted as (
    select
        *,
        max(holders_in_system) over (partition by group_label, link_day, method, match_key) as most_in_a_system
    from held
),

links as (
    select group_label, link_day, customer_durable_key, method, match_key, confidence
    from counted
    where holders > 1 and (most_in_a_system = 1 or method = 'declared')
),

{{ spread_labels('mastered', 'links', scope=['group_label', 'link_day']) }},

best as (
    select
        links.group_label, links.link_day, links.customer_durable_key, links.method, links.confidence,
        row_number() over (
            partition by links.group_label, links.link_day, links.customer_durable_key
            order by links.confidence desc, links.method asc nulls last
        ) as preference
    from links
),

people as (
    select distinct group_label, customer_durable_key
    from members
),

states as (
    select
        days.group_label, days.link_day, people.customer_durable_key,
        coalesce(mastered_spread.label, people.customer_durable_key) as mastered_customer_key,
        coalesce(best.method, 'own record') as method,
        coalesce(best.confidence, cast(1 as decimal(5, 4))) as confidence
    from days
    inner join people on days.group_label = people.group_label
    left join mastered_spread
        on days.group_label = mastered_spread.group_label
        and days.link_day = mastered_spread.link_day
        and people.customer_durable_key = mastered_spread.customer_durable_key
    left join best
        on days.group_label = best.group_label
        and days.link_day = best.link_day
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
        and customers.customer_durable_key not in (select linked.customer_durable_key from linked)
)

select *, valid_to = {{ last_day_of_time() }} as is_current
from linked
union all
select *, true as is_current
from alone
