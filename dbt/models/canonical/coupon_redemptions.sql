-- Coupons handed in.
-- One row per landed version of an event; key: redemption_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('coupon_redemptions') }}
