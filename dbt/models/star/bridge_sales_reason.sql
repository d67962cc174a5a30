-- One row per order line and reason it was bought for; a line can have several, and many have none.
-- Weights of a line sum to exactly 1: money spread by weight over the reasons stays what it was. A line that lost all
-- its reasons keeps one row with the unknown reason, so that its old rows go.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'order_id', 'line_no'],
) }}

with
{{ latest_landed('sales_reasons', ['order_id', 'line_no'], ['reason_id']) }},

given as (
    select
        source_system, order_id, line_no, reason_id, load_id, source_feed,
        count(*) over (partition by source_system, order_id, line_no) as reason_count,
        row_number() over (
            partition by source_system, order_id, line_no order by reason_id nulls last
        ) as reason_no
    from latest
    where op <> 'delete'
    union all
    select
        source_system, order_id, line_no, null as reason_id, max(load_id) as load_id, max(source_feed) as source_feed,
        1 as reason_count,
        1 as reason_no
    from latest
    group by source_system, order_id, line_no
    having min(op) = 'delete' and max(op) = 'delete'
)

select
    given.source_system,
    given.order_id,
    given.line_no,
    coalesce(reasons.reason_key, {{ unknown_key() }}) as reason_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    -- the first reason takes what rounding leaves over
    {{ share_of_one('given.reason_count', 'given.reason_no') }} as weight
from given
left join {{ ref('dim_reason') }} as reasons
    on given.source_system = reasons.source_system
    and given.reason_id = reasons.reason_id
left join {{ ref('dim_audit') }} as batches
    on given.load_id = batches.load_id
    and given.source_feed = batches.source_feed
