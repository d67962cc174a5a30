{# What is given back is counted upwards: a negative quantity or amount would be a sale. #}
{% test returns_are_positive(model) %}
select return_id, line_no, quantity, return_amount
from {{ model }}
where
    {{ touched_dates('returns', 'returned_date', model.identifier) }}
    and (quantity < 0 or return_amount < 0)
{% endtest %}
