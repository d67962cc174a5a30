-- Customers, derived from all purchases that ever landed: the source tells when they first bought and nothing else.
-- One row per customer.
with
purchases as (
    select
        landed.*,
        substr(landed.{{ quoted_column(' customer_id  date number_of_cds  dollar_value') }}, 2, 5) as customer_id
    from {{ landed('cdnow', 'transactions', history=true) }} as landed
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_id order by _business_date asc nulls last, _row asc nulls last
        ) as purchase_no
    from purchases
)

select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    'insert' as op,
    -- what is known holds for all time before, as for an inferred member
    {{ first_day() }} as effective_from,
    customer_id,
    'person' as customer_type,
    _business_date as first_seen_date
from ranked
where purchase_no = 1
