{# Those who share something (columns `share`) share exactly 1, each member once, and each is in its dimension. #}
{% test weights_sum_to_one(model, share, member, dimension) %}
select cast(min({{ share[0] }}) as string) as broken, 'weights' as rule
from {{ model }}
group by {{ share | join(', ') }}
having sum(weight) <> 1 or count(*) <> count(distinct {{ member }})
union all
select distinct cast(bridge.{{ member }} as string) as broken, 'member' as rule
from {{ model }} as bridge
left join {{ ref(dimension) }} as members on bridge.{{ member }} = members.{{ member }}
where members.{{ member }} is null
{% endtest %}
