-- One row per campaign, person and segment the person was in then: '(all)', a band or other attribute of the customer,
-- what the campaign's own list told. No measures. Tonight's campaigns only.
-- A kind that tells nobody apart is left out, and so is one of very many segments: a list of places, not of segments.
with
members as (
    select
        people.campaign_durable_key, people.mastered_customer_key, people.customer_durable_key,
        people.assigned_date as as_of
    from {{ ref('mart_campaign_person') }} as people
    inner join {{ ref('measured_campaigns') }} as campaigns
        on people.campaign_durable_key = campaigns.campaign_durable_key
    where campaigns.method = 'holdout' and people.contact_group in ('treated', 'holdout')
    union all
    select campaign_durable_key, mastered_customer_key, customer_durable_key, compare_from as as_of
    from {{ ref('campaign_matches') }}
),

described as (
    select
        {%- for kind in segment_kinds() %}
        cast(customers.{{ kind }} as string) as {{ kind }},
        {%- endfor %}
        members.campaign_durable_key, members.mastered_customer_key
    from members
    inner join {{ ref('dim_customer') }} as customers
        on members.customer_durable_key = customers.customer_durable_key
        and members.as_of >= customers.valid_from
        and members.as_of < customers.valid_to
),

numbers as (
    {{ each_number(1, most_told_segments()) }}
),

told as (
    select
        contacts.campaign_durable_key, contacts.mastered_customer_key,
        split_part(contacts.segments, '; ', numbers.number) as pair
    from {{ ref('campaign_contacts_of_people') }} as contacts
    inner join members
        on contacts.campaign_durable_key = members.campaign_durable_key
        and contacts.mastered_customer_key = members.mastered_customer_key
    cross join numbers
    where contacts.segments is not null
),

named as (
    select distinct
        campaign_durable_key, mastered_customer_key,
        1 as origin,
        trim(split_part(pair, '=', 1)) as segment_kind,
        trim(substr(pair, length(split_part(pair, '=', 1)) + 2)) as segment
    from told
    where pair like '%=%'
    union all
    select campaign_durable_key, mastered_customer_key, 2 as origin, segment_kind, segment
    from ({{ by_segment('described', segment_kinds(), ['campaign_durable_key', 'mastered_customer_key']) }}) as kinds
),

-- the campaign's own word comes first where customers have a column of that name too
kinds as (
    select campaign_durable_key, segment_kind, origin
    from named
    group by campaign_durable_key, segment_kind, origin
    having count(distinct segment) between 2 and {{ most_segments() }}
    qualify row_number() over (partition by campaign_durable_key, segment_kind order by origin nulls last) = 1
)

select campaign_durable_key, mastered_customer_key, '(all)' as segment_kind, '(all)' as segment
from members
union all
select
    named.campaign_durable_key, named.mastered_customer_key, named.segment_kind,
    coalesce(named.segment, '(unknown)') as segment
from named
inner join kinds
    on named.campaign_durable_key = kinds.campaign_durable_key
    and named.segment_kind = kinds.segment_kind
    and named.origin = kinds.origin
