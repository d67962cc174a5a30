-- One row per product and span of time in which its description held (SCD2).
-- Hierarchy: (product_family >) department > category > product_type > product; categories recur in departments.
-- A late change cuts the product's spans anew; one first met in a fact is inferred, and completed later in place.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='product_durable_key') }}

with
{{ scd2_versions(
    'product', 'products',
    attributes=[
        'product_family', 'department', 'category', 'product_type', 'brand', 'manufacturer', 'supplier', 'pack',
        'tier', 'standard_cost', 'list_price', 'product_name',
    ],
    seen_in=['order_lines', 'returns', 'promo_exposures', 'coupons'],
) }}

select
    product_key, product_durable_key, source_system, product_id,
    product_family, department, category, product_type, brand, manufacturer, supplier, pack, tier, standard_cost,
    list_price, product_name,
    valid_from, valid_to, is_current, is_deleted, is_inferred, audit_key
from versions
{{ with_special_members(version_defaults()) }}
