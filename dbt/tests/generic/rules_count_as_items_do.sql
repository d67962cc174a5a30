-- Rows mean that a rule is counted twice, or that the pairs by month hold another number of baskets with an item than
-- the items by month do: one of them is not up to date.
{% test rules_count_as_items_do(model) %}
select item_level, antecedent_key, consequent_key
from {{ model }}
group by item_level, antecedent_key, consequent_key
having count(*) > 1
union all
select items.item_level, items.item_key as antecedent_key, items.item_key as consequent_key
from {{ ref('basket_items') }} as items
left join {{ ref('basket_pair_months') }} as pairs
    on items.item_key = pairs.item_a_key
    and items.item_key = pairs.item_b_key
group by items.item_level, items.item_key, items.baskets
having coalesce(sum(pairs.baskets), 0) <> items.baskets
{% endtest %}
