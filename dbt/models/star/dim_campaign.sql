-- One row per campaign and span of time in which its description held (SCD2).
-- A late change cuts the campaign's spans anew; one first met in a fact is inferred, and completed later in place.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='campaign_durable_key') }}

with
{{ scd2_versions(
    'campaign', 'campaigns',
    attributes=[
        'campaign_name', 'campaign_type', 'objective', 'channel', 'start_date', 'end_date', 'place', 'manner', 'owner',
        'content', 'budget',
    ],
    seen_in=[
        'campaign_contacts', 'coupons', 'coupon_redemptions', 'campaign_costs', 'interactions', 'opportunities',
    ],
) }}

select
    campaign_key, campaign_durable_key, source_system, campaign_id,
    campaign_name, campaign_type, objective, channel, start_date, end_date, place, manner, owner, content, budget,
    valid_from, valid_to, is_current, is_deleted, is_inferred, audit_key
from versions
{{ with_special_members(version_defaults()) }}
