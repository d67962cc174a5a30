{#
  Every key of a fact has its member. `members` maps key column -> dimension; `versions` maps entity -> descriptive feed
  of an SCD2 dimension, whose version must also belong to the fact's durable key and be valid on the fact's date. Rows
  returned are the values that point nowhere, or to the wrong version. A night looks at the dates it touched, and for
  versions at the facts of members whose past it changed.
#}
{% test references(model, feed, date_column, members={}, versions={}) %}
    {%- set touched = touched_dates(feed, 'fact.' ~ date_column, model.identifier) %}
    {%- for key, dimension in members.items() %}
    {%- set target_key = 'date_key' if dimension == 'dim_date' else key %}
select '{{ key }}' as broken_key, cast(fact.{{ key }} as bigint) as broken_value
from (select distinct {{ key }} from {{ model }} as fact where {{ touched }}) as fact
left join {{ ref(dimension) }} as member on fact.{{ key }} = member.{{ target_key }}
where member.{{ target_key }} is null
{{ "union all" if not loop.last or versions }}
    {%- endfor %}
    {%- for entity, member_feed in versions.items() %}
    {%- set since = changed_since(member_feed) %}
    {%- set changed = ref('changed_' ~ member_feed) %}
select '{{ entity }}_key' as broken_key, fact.{{ entity }}_key as broken_value
from {{ model }} as fact
left join {{ ref('dim_' ~ entity) }} as version on fact.{{ entity }}_key = version.{{ entity }}_key
where
    (
        {{ touched }}
        {%- if since %}
        or (
            fact.{{ date_column }} >= date '{{ since }}'
            and fact.{{ entity }}_durable_key in (select {{ entity }}_durable_key from {{ changed }})
        )
        {%- endif %}
    )
    and (
        version.{{ entity }}_key is null
        or fact.{{ entity }}_durable_key <> version.{{ entity }}_durable_key
        or fact.{{ date_column }} < version.valid_from
        or fact.{{ date_column }} >= version.valid_to
        {%- if entity == 'customer' %}
        or fact.customer_profile_key <> version.customer_profile_key
        {%- endif %}
    )
{{ "union all" if not loop.last }}
    {%- endfor %}
{% endtest %}
