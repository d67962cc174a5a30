-- One row per person that campaigns contacted or that handed in a coupon: last contact, and what came back.
-- Additive: contacts, responses, redemptions. Responses are NULL where no contact's response is measured.
with
-- a campaign that nobody is known to have answered may not have been measured
answered as (
    select distinct campaign_durable_key
    from {{ ref('campaign_contacts_of_people') }}
    where responded_at is not null
),

contacts as (
    select
        contacts.mastered_customer_key,
        count(*) as contacts,
        max(contacts.assigned_date) as last_contacted_date,
        -- the last day's; of several on one day the last by name
        max_by(
            campaigns.campaign_id, cast(contacts.assigned_date as string) || campaigns.campaign_id
        ) as last_campaign_id,
        sum(
            case
                when contacts.responded_at is not null then 1
                when answered.campaign_durable_key is not null then 0
            end
        ) as responses
    from {{ ref('campaign_contacts_of_people') }} as contacts
    inner join {{ ref('dim_campaign') }} as campaigns on contacts.campaign_key = campaigns.campaign_key
    left join answered on contacts.campaign_durable_key = answered.campaign_durable_key
    where contacts.contact_group = 'treated' and contacts.mastered_customer_key > 0
    group by contacts.mastered_customer_key
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
    contacts.last_campaign_id,
    cast(contacts.responses as integer) as responses,
    cast(redemptions.redemptions as integer) as redemptions,
    redemptions.last_redeemed_date
from {{ ref('dim_mastered_customer') }} as people
left join contacts on people.mastered_customer_key = contacts.mastered_customer_key
left join redemptions on people.mastered_customer_key = redemptions.mastered_customer_key
where coalesce(contacts.mastered_customer_key, redemptions.mastered_customer_key) is not null
