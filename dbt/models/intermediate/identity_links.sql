-- One row per group, day on which its links change, customer, and key that links it to another from that day on.
-- No measures. A key that two customers of one system hold at a time links nobody (declared links excepted).
with
held as (
    select
        link_days.group_label, link_days.link_day,
        members.customer_durable_key, members.method, members.match_key, members.confidence,
        count(*) over (
            partition by
                link_days.group_label, link_days.link_day, members.method, members.match_key, members.source_system
        ) as holders_in_system,
        count(*) over (
            partition by link_days.group_label, link_days.link_day, members.method, members.match_key
        ) as holders
    from {{ ref('identity_days') }} as link_days
    inner join {{ ref('identity_members') }} as members
        on link_days.group_label = members.group_label
        and link_days.link_day >= members.valid_from
        and link_days.link_day < members.valid_to
),

counted as (
    select
        *,
        max(holders_in_system) over (partition by group_label, link_day, method, match_key) as most_in_a_system
    from held
)

select group_label, link_day, customer_durable_key, method, match_key, confidence
from counted
where holders > 1 and (most_in_a_system = 1 or method = 'declared')
