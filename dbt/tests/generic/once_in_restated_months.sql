-- Rows mean that a table of customers by month has a key twice, in the months a load made anew.
{% test once_in_restated_months(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where {{ in_tested_months('month_start_date') }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
