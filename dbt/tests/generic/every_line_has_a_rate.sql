{# A missing rate is a failure, not a NULL: without it nobody can say what the customer paid. #}
{% test every_line_has_a_rate(model) %}
select order_id, line_no, order_date, currency_key
from {{ model }}
where
    {{ touched_dates('order_lines', 'order_date', model.identifier) }}
    and (exchange_rate is null or exchange_rate <= 0)
{% endtest %}
