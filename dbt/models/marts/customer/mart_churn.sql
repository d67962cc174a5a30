-- One row per segment of customers and kind of leaving, and per segment over all kinds: how many of them left.
-- Additive over kinds but '(all)': churned_customers, net_sales_before. Not additive over segments of several kinds.
-- Who ordered again since is not counted as gone. Empty where no source tells who left: not measured.
-- Made whole each load: segments are those of today.
{%- set kinds = segment_kinds() + ['tenure_years'] %}
with
newest as (
    select
        greatest(
            (select max(departures.churned_date) from {{ ref('customer_departures') }} as departures),
            coalesce((select max(months.as_of_date) from {{ ref('customer_months') }} as months), {{ first_day() }})
        ) as as_of_date
),

gone as (
    select mastered_customer_key, churned_date, coalesce(churn_type, '(unknown)') as churn_type
    from {{ ref('customer_departures') }}
    where not has_returned
),

-- the twelve months that end with the month of leaving
bought as (
    select gone.mastered_customer_key, sum(activity.net_sales) as net_sales_before
    from gone
    inner join {{ ref('customer_month_activity') }} as activity
        on gone.mastered_customer_key = activity.mastered_customer_key
        and {{ add_months('gone.churned_date', -12) }} < activity.month_start_date
        and gone.churned_date >= activity.month_start_date
    group by gone.mastered_customer_key
),

people as (
    select
        {%- for kind in segment_kinds() %}
        cast(customers.{{ kind }} as string) as {{ kind }},
        {%- endfor %}
        -- anniversaries passed: of dates as numbers, YYYYMMDD, the difference in years
        cast(cast(floor((
            {{ date_key('coalesce(gone.churned_date, newest.as_of_date)') }}
            - {{ date_key('customers.first_seen_date') }}
        ) / 10000) as integer) as string) as tenure_years,
        customers.mastered_customer_key, gone.churned_date, gone.churn_type, bought.net_sales_before
    from {{ ref('dim_mastered_customer') }} as customers
    cross join newest
    left join gone on customers.mastered_customer_key = gone.mastered_customer_key
    left join bought on customers.mastered_customer_key = bought.mastered_customer_key
    where
        customers.mastered_customer_key > 0
        and exists (select 1 from {{ ref('customer_departures') }})
),

members as (
    select '(all)' as segment_kind, '(all)' as segment, churned_date, churn_type, net_sales_before
    from people
    union all
    select segment_kind, coalesce(segment, '(unknown)') as segment, churned_date, churn_type, net_sales_before
    from ({{ by_segment('people', kinds, ['churned_date', 'churn_type', 'net_sales_before']) }}) as kinds
),

-- a kind that tells nobody apart, or one of very many segments, is a list and no segmentation
told as (
    select segment_kind
    from members
    group by segment_kind
    having segment_kind = '(all)' or count(distinct segment) between 2 and {{ most_segments() }}
),

segments as (
    select members.segment_kind, members.segment, cast(count(*) as bigint) as customers
    from members
    inner join told on members.segment_kind = told.segment_kind
    group by members.segment_kind, members.segment
),

counted as (
    select
        segment_kind, segment, coalesce(churn_type, '(all)') as churn_type,
        count(*) as churned_customers, sum(net_sales_before) as net_sales_before,
        min(churned_date) as first_churned_date, max(churned_date) as last_churned_date
    from members
    where churned_date is not null
    group by grouping sets ((segment_kind, segment, churn_type), (segment_kind, segment))
),

-- a segment that nobody left has its row too
listed as (
    select segment_kind, segment, customers, '(all)' as churn_type from segments
    union all
    select segments.segment_kind, segments.segment, segments.customers, counted.churn_type
    from segments
    inner join counted on segments.segment_kind = counted.segment_kind and segments.segment = counted.segment
    where counted.churn_type <> '(all)'
)

select
    listed.segment_kind,
    listed.segment,
    listed.churn_type,
    listed.customers,
    cast(coalesce(counted.churned_customers, 0) as bigint) as churned_customers,
    {{ ratio('coalesce(counted.churned_customers, 0)', 'listed.customers') }} as churn_rate,
    cast(counted.net_sales_before as decimal(19, 4)) as net_sales_before,
    counted.first_churned_date,
    counted.last_churned_date
from listed
left join counted
    on listed.segment_kind = counted.segment_kind
    and listed.segment = counted.segment
    and listed.churn_type = counted.churn_type
