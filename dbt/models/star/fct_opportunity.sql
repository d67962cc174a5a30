-- One row per opportunity as it stands: an accumulating snapshot of entered, quoted, won or lost.
-- Additive: the count of rows, opportunity_amount. Not additive: the days between milestones; average them.
-- A newer version of an opportunity takes the older one's place, on whatever day and for whatever customer. The
-- quotation, once known, stays; won and lost are what the newest version says, so that it can be opened again. A
-- version that comes late fills an unknown quotation and changes nothing else. A tombstone removes the opportunity.
-- Customers, employees and campaigns first met here are inferred.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'opportunity_id'],
    post_hook=[
        "{{ remove_deleted('opportunities', ['opportunity_id']) }}",
        "{{ repoint('customer', 'customers', 'entered_date', ['customer_key', 'customer_profile_key']) }}",
        "{{ repoint('employee', 'employees', 'entered_date', ['employee_key']) }}",
        "{{ repoint('campaign', 'campaigns', 'entered_date', ['campaign_key']) }}",
    ],
) }}

with
{{ latest_versions('opportunities', ['opportunity_id']) }},

{{ known_milestones('opportunities', ['opportunity_id'], ['quoted_date']) }},

opportunities as (
    select
        latest.source_system,
        latest.opportunity_id,
        latest.entered_date,
        latest.won_date,
        latest.lost_date,
        coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
        coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
        coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
        coalesce(employees.employee_key, {{ unknown_key() }}) as employee_key,
        coalesce(employees.employee_durable_key, {{ unknown_key() }}) as employee_durable_key,
        -- an opportunity needs no campaign
        coalesce(campaigns.campaign_key, {{ not_applicable_key() }}) as campaign_key,
        coalesce(campaigns.campaign_durable_key, {{ not_applicable_key() }}) as campaign_durable_key,
        coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
        latest.lead_source,
        latest.stage,
        latest.lost_reason,
        latest.competitor,
        latest.amount as opportunity_amount
    from latest
    left join {{ ref('dim_customer') }} as customers
        on latest.source_system = customers.source_system
        and latest.customer_id = customers.customer_id
        and latest.entered_date >= customers.valid_from
        and latest.entered_date < customers.valid_to
    left join {{ ref('dim_employee') }} as employees
        on latest.source_system = employees.source_system
        and latest.employee_id = employees.employee_id
        and latest.entered_date >= employees.valid_from
        and latest.entered_date < employees.valid_to
    left join {{ ref('dim_campaign') }} as campaigns
        on latest.source_system = campaigns.source_system
        and latest.campaign_id = campaigns.campaign_id
        and latest.entered_date >= campaigns.valid_from
        and latest.entered_date < campaigns.valid_to
    left join {{ ref('dim_audit') }} as batches
        on latest.load_id = batches.load_id
        and latest.source_feed = batches.source_feed
    {%- if is_incremental() %}
    union all
    -- opportunities of which only late versions came
    select
        fact.source_system, fact.opportunity_id, fact.entered_date, fact.won_date, fact.lost_date,
        fact.customer_key, fact.customer_durable_key, fact.customer_profile_key,
        fact.employee_key, fact.employee_durable_key, fact.campaign_key, fact.campaign_durable_key, fact.audit_key,
        fact.lead_source, fact.stage, fact.lost_reason, fact.competitor, fact.opportunity_amount
    from {{ this }} as fact
    inner join known
        on fact.source_system = known.source_system
        and fact.opportunity_id = known.opportunity_id
        and not known.is_renewed
    {%- endif %}
)

select
    opportunities.source_system,
    opportunities.opportunity_id,
    opportunities.entered_date,
    {{ date_key('opportunities.entered_date') }} as entered_date_key,
    {{ milestone_date_key('known.quoted_date') }} as quoted_date_key,
    {{ milestone_date_key('opportunities.won_date') }} as won_date_key,
    {{ milestone_date_key('opportunities.lost_date') }} as lost_date_key,
    opportunities.customer_key, opportunities.customer_durable_key, opportunities.customer_profile_key,
    opportunities.employee_key, opportunities.employee_durable_key,
    opportunities.campaign_key, opportunities.campaign_durable_key,
    opportunities.audit_key,
    known.quoted_date,
    opportunities.won_date,
    opportunities.lost_date,
    opportunities.lead_source,
    opportunities.stage,
    opportunities.lost_reason,
    opportunities.competitor,
    opportunities.won_date is not null as is_won,
    opportunities.lost_date is not null as is_lost,
    {{ days_from('opportunities.entered_date', 'known.quoted_date') }} as days_to_quote,
    {{ days_from('opportunities.entered_date', 'coalesce(opportunities.won_date, opportunities.lost_date)') }}
        as days_to_close,
    opportunities.opportunity_amount
from opportunities
inner join known
    on opportunities.source_system = known.source_system
    and opportunities.opportunity_id = known.opportunity_id
order by opportunities.entered_date, opportunities.source_system, opportunities.opportunity_id
