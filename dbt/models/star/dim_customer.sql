-- One row per customer and span of time in which its description held (SCD2).
-- No names, contacts, addresses or birth dates: those live in pii.duckdb, joined by customer_durable_key.
-- A late change cuts the customer's spans anew; who is first met in a fact is inferred, and completed later in place.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_durable_key') }}

with
{{ scd2_versions(
    'customer', 'customers',
    attributes=[
        'customer_type', 'status', 'age_band', 'gender', 'marital_status', 'income_band', 'education', 'occupation',
        'household_size', 'household_composition', 'children', 'home_owner', 'city', 'region', 'country',
        'first_seen_date', 'consent', 'acquisition_source', 'relationship_type',
    ],
    seen_in=[
        'order_lines', 'returns', 'order_charges', 'campaign_contacts', 'coupon_redemptions', 'orders', 'payments',
        'interactions', 'opportunities', 'households', 'surveys', 'churn_events',
    ],
) }}

select
    customer_key, customer_durable_key,
    -- who told nothing belongs to the unknown profile
    case
        when coalesce(age_band, income_band, household_size) is null then {{ unknown_key() }}
        else {{ hash_key(['age_band', 'income_band', 'household_size']) }}
    end as customer_profile_key,
    source_system, customer_id,
    customer_type, status, age_band, gender, marital_status, income_band, education, occupation,
    household_size, household_composition, children, home_owner, city, region, country,
    first_seen_date, consent, acquisition_source, relationship_type,
    valid_from, valid_to, is_current, is_deleted, is_inferred, audit_key
from versions
{{ with_special_members(version_defaults()) }}
