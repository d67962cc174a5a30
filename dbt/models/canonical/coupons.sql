-- Changes of which products a coupon of a campaign is good for.
-- One row per landed change; key: coupon_id, campaign_id, product_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('coupons') }}
