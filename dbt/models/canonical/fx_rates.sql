-- Exchange rates of a day.
-- One row per landed version of an event; key: rate_date, from_currency, to_currency.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('fx_rates') }}
