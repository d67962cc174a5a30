-- Where products stood and were advertised.
-- One row per landed version of an event; key: product_id, store_id, week_date, display_code, mailer_code.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('promo_exposures') }}
