{#
  The columns identify a row. A night looks at the dates it touched; a rebuild looks month by month, because grouping
  20.9M rows at once takes 2.5 GB and twice the time. The columns must include the date.
#}
{% test unique_in_load(model, columns, feed, date_column) %}
    {%- set months = touched_months(feed) if rebuilt(model.identifier) else [] %}
    {%- for month in months or [none] %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
where {{ in_months(date_column, [month]) if month else touched_dates(feed, date_column, model.identifier) }}
group by {{ columns | join(', ') }}
having count(*) > 1
{{ "union all" if not loop.last }}
    {%- endfor %}
{% endtest %}
