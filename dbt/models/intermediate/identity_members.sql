-- One row per customer that was ever linked, key it is linked by, and span of days in which it had the key, with the
-- group of customers it is linked to over all time, however indirectly.
-- No measures. Days are looked at within a group only. A model of its own, because Spark copies a CTE to each place it
-- is named in: with all rounds of all days in one query its driver ran out of 1 GB after 651 s, for two customers.
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

{{ spread_labels('grouped', 'linking') }}

select
    linking.customer_durable_key, linking.source_system, linking.method, linking.match_key, linking.confidence,
    linking.valid_from, linking.valid_to, grouped_spread.label as group_label
from linking
inner join grouped_spread on linking.customer_durable_key = grouped_spread.customer_durable_key
