-- One row per day of the calendar the warehouse knows.
-- No measures.
{{ config(materialized='view') }}

{{ each_day('1990-01-01', '2030-12-31') }}
