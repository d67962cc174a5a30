{# Money adds up on each line: gross less the shop's own discounts is what it receives; the coupon stays out. #}
{% test gross_less_discounts_is_net(model) %}
select order_id, line_no, gross_amount, discount_retail_amount, discount_match_amount, net_amount
from {{ model }}
where
    {{ touched_dates('order_lines', 'order_date', model.identifier) }}
    and gross_amount - discount_retail_amount - discount_match_amount <> net_amount
{% endtest %}
