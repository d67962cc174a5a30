-- Customers who brought customers.
-- One row per landed version of an event; key: referral_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('referrals') }}
