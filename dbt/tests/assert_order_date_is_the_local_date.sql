-- Rows mean that the loader and the warehouse disagree on the business day: landing dates a line by the source's time
-- zone, and the line's wall-clock time must fall on that date. Money would then count on the wrong day.
select order_id, line_no, ordered_at, order_date
from {{ ref('order_lines') }}
where
    {{ 'true' if rebuilt('fct_sales_line') else in_batch() }}
    and order_date <> cast(ordered_at_local as date)
