-- Changes of why an order line was bought; a line can have several reasons.
-- One row per landed change; key: order_id, line_no, reason_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('sales_reasons') }}
