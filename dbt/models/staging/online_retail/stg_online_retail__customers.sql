-- Changes of the country customers order from, derived from all lines that ever landed.
-- One row per customer and day on which the country was another than on the customer's trading day before.
with
days as (
    select
        _system as source_system, _feed as source_feed,
        split_part(customerid, '.', 1) as customer_id,
        _business_date as effective_from,
        max_by(country, _row) as country,
        max(_load_id) as load_id,
        max(_row) as load_row
    from {{ landed('online_retail', 'lines', history=true) }} as landed
    where nullif(split_part(customerid, '.', 1), '') is not null
    group by _system, _feed, split_part(customerid, '.', 1), _business_date
),

changes as (
    select
        *,
        min(effective_from) over (partition by customer_id) as first_seen_date,
        row_number() over (partition by customer_id order by effective_from) as day_no,
        lag(country) over (partition by customer_id order by effective_from) as country_before
    from days
)

select
    source_system, source_feed, load_id, load_row,
    case when day_no = 1 then 'insert' else 'update' end as op,
    -- what is known first holds for all time before, as for an inferred member
    case when day_no = 1 then {{ first_day() }} else effective_from end as effective_from,
    customer_id,
    country,
    first_seen_date
from changes
where day_no = 1 or country is distinct from country_before
