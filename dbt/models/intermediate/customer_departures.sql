-- One row per person who left, as told last: when, of what kind, and whether an order came since.
-- No measures. Made whole each load.
with
told as (
    select
        mastered_customer_key, churned_date, churn_type,
        row_number() over (
            partition by mastered_customer_key order by churned_date desc nulls last, churn_type asc nulls last
        ) as recency
    from {{ ref('churn_of_people') }}
    where mastered_customer_key > 0
),

ordered as (
    select mastered_customer_key, max(last_order_date) as last_order_date
    from {{ ref('customer_month_activity') }}
    group by mastered_customer_key
)

select
    told.mastered_customer_key,
    told.churned_date,
    told.churn_type,
    coalesce(ordered.last_order_date > told.churned_date, false) as has_returned
from told
left join ordered on told.mastered_customer_key = ordered.mastered_customer_key
where told.recency = 1
