-- One row per campaign, day and kind of cost.
-- Additive: cost_amount.
-- A late cost is added under its own date; a newer version of one takes the older one's place, and a tombstone removes
-- it. A campaign first met here is inferred.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_superseded('campaign_costs', ['campaign_id', 'cost_date', 'cost_type'], 'cost_date') }}",
    post_hook=[
        "{{ repoint('campaign', 'campaigns', 'cost_date', ['campaign_key']) }}",
    ],
) }}

with
latest as (
    {{ applied_rows('campaign_costs', ['campaign_id', 'cost_date', 'cost_type'], whole=not is_incremental()) }}
)

select
    latest.source_system,
    latest.campaign_id,
    latest.cost_date,
    {{ date_key('latest.cost_date') }} as cost_date_key,
    latest.cost_type,
    coalesce(campaigns.campaign_key, {{ unknown_key() }}) as campaign_key,
    coalesce(campaigns.campaign_durable_key, {{ unknown_key() }}) as campaign_durable_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    latest.amount as cost_amount
from latest
left join {{ ref('dim_campaign') }} as campaigns
    on latest.source_system = campaigns.source_system
    and latest.campaign_id = campaigns.campaign_id
    and latest.cost_date >= campaigns.valid_from
    and latest.cost_date < campaigns.valid_to
left join {{ ref('dim_audit') }} as batches
    on latest.load_id = batches.load_id
    and latest.source_feed = batches.source_feed
order by latest.cost_date, latest.load_id, latest.load_row
