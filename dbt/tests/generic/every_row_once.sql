{#
  Fan-out guard: the load put exactly as many rows into the fact as its feed brought. A join that loses or multiplies
  rows shows here; it is never repaired by de-duplication. Of events that may change later (`key`) the newest versions.
#}
{% test every_row_once(model, feed, date_column, key=[]) %}
{%- set of_batch = 'fact.audit_key in (select audit_key from ' ~ ref('dim_audit') ~ ' where ' ~ in_batch() ~ ')' %}
with
rows_of_feed as (
    {{ applied_rows(feed, key, whole=rebuilt(model.identifier)) }}
),

brought as (
    select count(*) as row_count
    from rows_of_feed
),

applied as (
    select count(*) as row_count
    from {{ model }} as fact
    where
        {{ touched_dates(feed, 'fact.' ~ date_column, model.identifier) }}
        and {{ 'true' if rebuilt(model.identifier) else of_batch }}
)

select brought.row_count as rows_brought, applied.row_count as rows_applied
from brought
cross join applied
where brought.row_count <> applied.row_count
{% endtest %}
