-- Changes of product names, derived from all lines that ever landed with a price. Lines without one are stock
-- adjustments, whose description is a remark (check, damaged, ?). A product never sold at a price has no name.
-- One row per stock code and day on which its name was another than before; of a day the name most lines have.
with
names as (
    select
        _system as source_system, _feed as source_feed,
        stockcode as product_id,
        _business_date as effective_from,
        trim(description) as product_name,
        count(*) as line_count,
        max(_load_id) as load_id,
        max(_row) as load_row
    from {{ landed('online_retail', 'lines', history=true) }} as landed
    where
        unitprice > 0
        and not exists (
            select 1
            from {{ ref('base_online_retail__charge_codes') }} as codes
            where codes.stock_code = landed.stockcode
        )
    group by _system, _feed, stockcode, _business_date, trim(description)
),

ranked as (
    select
        *,
        row_number() over (
            partition by product_id, effective_from order by line_count desc nulls last, product_name asc nulls last
        ) as name_no
    from names
),

changes as (
    select
        *,
        row_number() over (partition by product_id order by effective_from) as day_no,
        lag(product_name) over (partition by product_id order by effective_from) as name_before
    from ranked
    where name_no = 1
)

select
    source_system, source_feed, load_id, load_row,
    case when day_no = 1 then 'insert' else 'update' end as op,
    -- what is known first holds for all time before, as for an inferred member
    case when day_no = 1 then {{ first_day() }} else effective_from end as effective_from,
    product_id,
    product_name
from changes
where day_no = 1 or product_name is distinct from name_before
