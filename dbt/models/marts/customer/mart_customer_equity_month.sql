-- One row per month, way of parting customers and part: what they were worth, as was told at the time.
-- Additive over the parts of one way within a month. A report of record: a month is what the fit of its end told, with
-- the late orders that came before the next fit (landed by `clientele fit`); it is not told anew with later models.
-- The newest month is mart_customer_equity. A month without a fit is missing. Made whole each load: a row a part.
with
told as (
    {{ told_equity() }}
),

newest as (
    select max(as_of_date) as as_of_date
    from {{ ref('mart_customer_equity') }}
),

-- of several fits as of one month the one landed last closed it
closed as (
    select
        told.*,
        dense_rank() over (
            partition by {{ first_of('month', 'told.as_of_date') }}
            order by told.as_of_date desc nulls last, told.artefact_id desc nulls last
        ) as place
    from told
    cross join newest
    where {{ first_of('month', 'told.as_of_date') }} < {{ first_of('month', 'newest.as_of_date') }}
)

select
    {{ first_of('month', 'as_of_date') }} as month_start_date,
    parted_by, part, as_of_date, told_by, customers, historic_value, expected_present_value, mean_p_alive
from closed
where place = 1
union all
select
    {{ first_of('month', 'as_of_date') }} as month_start_date,
    parted_by, part, as_of_date, told_by, customers, historic_value, expected_present_value, mean_p_alive
from {{ ref('mart_customer_equity') }}
