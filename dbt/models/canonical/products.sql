-- Changes of products.
-- One row per landed change; key: product_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('products') }}
