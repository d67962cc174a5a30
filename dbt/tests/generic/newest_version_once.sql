{#
  A fact of events that come in versions holds each event of the load once, and none whose newest version is a
  tombstone: neither fanned out by a join, nor lost, nor left behind.
#}
{% test newest_version_once(model, feed, key) %}
with
newest as (
    {{ newest_versions(feed, key, 'true' if rebuilt(model.identifier) else in_batch()) }}
)

select
    {% for column in ['source_system'] + key %}newest.{{ column }}, {% endfor -%}
    count(fact.source_system) as row_count
from newest
left join {{ model }} as fact
    on {% for column in ['source_system'] + key %}newest.{{ column }} = fact.{{ column }}{{ " and " if not loop.last }}{% endfor %}
group by {% for column in ['source_system'] + key %}newest.{{ column }}, {% endfor %}newest.op
having count(fact.source_system) <> case when newest.op = 'delete' then 0 else 1 end
{% endtest %}
