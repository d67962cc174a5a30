-- One row per person that campaigns chose or that handed in a coupon: last contact, and what came back.
-- Additive: contacts, responses, redemptions. Responses are NULL where no contact's response is measured.
with
contacts as (
    select
        contacts.mastered_customer_key,
        sum(case when contacts.contact_group = 'treated' then 1 else 0 end) as contacts,
        max(case when contacts.contact_group = 'treated' then contacts.assigned_date end) as last_contacted_date,
        -- the last day's; of several on one day the last by name
        max_by(
            campaigns.campaign_id,
            case when contacts.contact_group = 'treated' then '1' else '0' end
            || cast(contacts.assigned_date as string) || campaigns.campaign_id
        ) as last_campaign_id
    from {{ ref('campaign_contacts_of_people') }} as contacts
    inner join {{ ref('dim_campaign') }} as campaigns on contacts.campaign_key = campaigns.campaign_key
    where contacts.mastered_customer_key > 0
    group by contacts.mastered_customer_key
),

measured as (
    select distinct campaign_durable_key
    from {{ ref('fct_campaign_contact') }}
    where responded_at is not null
),

responses as (
    select
        links.mastered_customer_key,
        sum(case when facts.responded_at is not null then 1 else 0 end) as responses
    from {{ ref('fct_campaign_contact') }} as facts
    inner join {{ ref('bridge_identity') }} as links
        on facts.customer_durable_key = links.customer_durable_key
        and links.is_current
    -- a campaign that nobody is known to have answered may not have been measured
    inner join measured on facts.campaign_durable_key = measured.campaign_durable_key
    group by links.mastered_customer_key
),

redemptions as (
    select
        mastered_customer_key,
        count(*) as redemptions,
        max(redeemed_date) as last_redeemed_date
    from {{ ref('redemptions_of_people') }}
    where mastered_customer_key > 0
    group by mastered_customer_key
)

select
    people.mastered_customer_key,
    cast(contacts.contacts as integer) as contacts,
    contacts.last_contacted_date,
    case when contacts.last_contacted_date is not null then contacts.last_campaign_id end as last_campaign_id,
    cast(responses.responses as integer) as responses,
    cast(redemptions.redemptions as integer) as redemptions,
    redemptions.last_redeemed_date
from {{ ref('dim_mastered_customer') }} as people
left join contacts on people.mastered_customer_key = contacts.mastered_customer_key
left join responses on people.mastered_customer_key = responses.mastered_customer_key
left join redemptions on people.mastered_customer_key = redemptions.mastered_customer_key
where coalesce(contacts.mastered_customer_key, redemptions.mastered_customer_key) is not null
