-- Credit granted to a customer as of a day.
-- One row per landed version of an event; key: customer_id, as_of_date.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('credit') }}
