-- Order lines as sold: gross - discount_retail - discount_match = net.
-- One row per landed version of an event; key: order_id, line_no.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('order_lines') }}
