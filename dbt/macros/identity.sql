{# One customer over several systems: what links two records, how sure a link is, whose word counts. #}

{# How many links away from each other two records of one customer may be; the test linked_customers holds it. #}
{% macro identity_rounds() %}{{ return(6) }}{% endmacro %}

{# Columns of the feed customers that can link records: method, column, confidence. A number the company itself gives is
   sure; an address or a telephone may pass from hand to hand. #}
{% macro identity_methods() %}
    {{ return([
        ('account number', 'account_number', '1.0'),
        ('e-mail', 'email_key', '0.95'),
        ('telephone', 'phone_key', '0.8'),
    ]) }}
{% endmacro %}

{#
  CTEs <name>_1 ... <name>: spreads the smallest label over linked customers, two links a round. `links` has the columns
  `scope` + customer_durable_key, method, match_key; the result `scope` + customer_durable_key, label.
#}
{% macro spread_labels(name, links, scope=[]) %}
    {%- set rounds = identity_rounds() -%}
    {%- set within = (scope | join(', ')) ~ (', ' if scope else '') -%}
{{ name }}_0 as (
    select distinct {{ within }}customer_durable_key, customer_durable_key as label
    from {{ links }}
),
    {%- for round in range(1, rounds + 1) %}

{{ name }}_keys_{{ round }} as (
    select {% for column in scope %}links.{{ column }}, {% endfor %}links.method, links.match_key, min(labels.label) as label
    from {{ links }} as links
    inner join {{ name }}_{{ round - 1 }} as labels
        on links.customer_durable_key = labels.customer_durable_key
        {%- for column in scope %} and links.{{ column }} = labels.{{ column }}{% endfor %}
    group by {% for column in scope %}links.{{ column }}, {% endfor %}links.method, links.match_key
),

{{ name }}_{{ round if round < rounds else 'spread' }} as (
    select {% for column in scope %}links.{{ column }}, {% endfor %}links.customer_durable_key, min(labels.label) as label
    from {{ links }} as links
    inner join {{ name }}_keys_{{ round }} as labels
        on links.method = labels.method and links.match_key = labels.match_key
        {%- for column in scope %} and links.{{ column }} = labels.{{ column }}{% endfor %}
    group by {% for column in scope %}links.{{ column }}, {% endfor %}links.customer_durable_key
)
    {{- "," if round < rounds }}
    {%- endfor %}
{%- endmacro %}

{#
  Whose word counts for an attribute of a customer that several records describe. trusted: the most trusted feed's
  (`trust` in source.yml); recent: the record learnt last; complete: the record that says most.
#}
{% macro survivorship() %}
    {%- set rules = {} -%}
    {%- for attribute in ['customer_type', 'status', 'consent', 'first_seen_date', 'acquisition_source', 'relationship_type'] -%}
        {%- do rules.update({attribute: 'trusted'}) -%}
    {%- endfor -%}
    {%- for attribute in [
        'age_band', 'marital_status', 'income_band', 'occupation', 'household_size', 'household_composition', 'children',
        'home_owner', 'city', 'region', 'country',
    ] -%}
        {%- do rules.update({attribute: 'recent'}) -%}
    {%- endfor -%}
    {%- for attribute in ['gender', 'education'] -%}
        {%- do rules.update({attribute: 'complete'}) -%}
    {%- endfor -%}
    {{ return(rules) }}
{% endmacro %}

{# Each attribute and the place of the record among those of its customer: 1 is the one whose value survives. #}
{% macro survivor_columns() -%}
    {%- set orders = {
        'recent': 'valid_from desc, learnt_load desc, source_trust desc',
        'complete': 'told desc, source_trust desc, valid_from desc',
        'trusted': 'source_trust desc, valid_from desc, told desc',
    } -%}
    {%- for attribute, rule in survivorship().items() %}
    {{ attribute }},
    cast(row_number() over (
        partition by mastered_customer_key
        order by
            case when {{ attribute }} is null then 1 else 0 end asc, {{ orders[rule] }}, customer_durable_key asc
    ) as integer) as {{ attribute }}_rank{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Trust in the feed a record comes from, 0 to 100, as its source.yml says. #}
{% macro trust_in(feed) -%}
    {%- set landing = var('landing', {}) -%}
    {%- if not landing -%} 50
    {%- else -%}
    case {{ feed }}
    {%- for name in landing %} when '{{ name }}' then {{ landing[name].trust }}{% endfor %}
    end
    {%- endif -%}
{%- endmacro %}
