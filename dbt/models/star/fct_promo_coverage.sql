-- One row per product, store, week, display and mailer location. Factless: counting rows is the measure.
-- Additive: the count of rows; across promo vehicles of one product, store and week it counts the product repeatedly.
-- A late week is appended under its own date. Sorted by week, as landing is; runs of one product stay together, which
-- keeps 20.9M rows at about 12 bytes each.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    post_hook="{{ repoint('product', 'products', 'week_date', ['product_key']) }}",
) }}

with
exposures as (
    select *
    from {{ ref('promo_exposures') }}
    where {{ in_this_load() }}
)

select
    exposures.week_date,
    {{ date_key('exposures.week_date') }} as week_date_key,
    coalesce(products.product_key, {{ unknown_key() }}) as product_key,
    coalesce(products.product_durable_key, {{ unknown_key() }}) as product_durable_key,
    coalesce(stores.store_key, {{ unknown_key() }}) as store_key,
    coalesce(vehicles.promo_vehicle_key, {{ unknown_key() }}) as promo_vehicle_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key
from exposures
left join {{ ref('dim_product') }} as products
    on exposures.source_system = products.source_system
    and exposures.product_id = products.product_id
    and exposures.week_date >= products.valid_from
    and exposures.week_date < products.valid_to
left join {{ ref('dim_store') }} as stores
    on exposures.source_system = stores.source_system
    and exposures.store_id = stores.store_id
left join {{ ref('dim_promo_vehicle') }} as vehicles
    on exposures.source_system = vehicles.source_system
    and exposures.display_code = vehicles.display_code
    and exposures.mailer_code = vehicles.mailer_code
left join {{ ref('dim_audit') }} as batches
    on exposures.load_id = batches.load_id
    and exposures.source_feed = batches.source_feed
