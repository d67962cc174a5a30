-- One row per customer, campaign and touch. Factless: counting rows is the measure; holdouts are rows too.
-- Additive: the count of rows, outcome_amount.
-- A late contact is appended under the date it was assigned; unseen customers and campaigns are inferred.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    post_hook=[
        "{{ repoint('customer', 'customers', 'assigned_date', ['customer_key', 'customer_profile_key']) }}",
        "{{ repoint('campaign', 'campaigns', 'assigned_date', ['campaign_key']) }}",
    ],
) }}

with
contacts as (
    select *
    from {{ ref('campaign_contacts') }}
    where {{ in_this_load() }}
)

select
    contacts.assigned_date,
    {{ date_key('contacts.assigned_date') }} as assigned_date_key,
    -- a holdout is never contacted
    coalesce({{ date_key('contacts.contacted_date') }}, {{ not_applicable_key() }}) as contacted_date_key,
    coalesce(campaigns.campaign_key, {{ unknown_key() }}) as campaign_key,
    coalesce(campaigns.campaign_durable_key, {{ unknown_key() }}) as campaign_durable_key,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(channels.channel_key, {{ unknown_key() }}) as channel_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    contacts.contact_group,
    contacts.arm,
    contacts.segments,
    contacts.is_delivered,
    contacts.is_opened,
    contacts.is_clicked,
    contacts.is_visited,
    contacts.is_converted,
    contacts.responded_at,
    contacts.outcome_value as outcome_amount
from contacts
left join {{ ref('dim_campaign') }} as campaigns
    on contacts.source_system = campaigns.source_system
    and contacts.campaign_id = campaigns.campaign_id
    and contacts.assigned_date >= campaigns.valid_from
    and contacts.assigned_date < campaigns.valid_to
left join {{ ref('dim_customer') }} as customers
    on contacts.source_system = customers.source_system
    and contacts.customer_id = customers.customer_id
    and contacts.assigned_date >= customers.valid_from
    and contacts.assigned_date < customers.valid_to
left join {{ ref('dim_channel') }} as channels on contacts.channel = channels.channel_code
left join {{ ref('dim_audit') }} as batches
    on contacts.load_id = batches.load_id
    and contacts.source_feed = batches.source_feed
order by contacts.assigned_date, contacts.load_id, contacts.load_row
