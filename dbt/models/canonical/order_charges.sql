-- Charges on an order that are no product: postage, fees, manual adjustments, written-off debt.
-- One row per landed version of an event; key: order_id, line_no.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('order_charges') }}
