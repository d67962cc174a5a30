{#
  The metric dictionary as the project declares it (models/semantic), for what is built from it. dbt knows it when it
  runs, not while it parses: until then there is nothing.
#}

{% macro semantic_model(name) -%}
    {{ return(graph.semantic_models['semantic_model.' ~ project_name ~ '.' ~ name] if execute else none) }}
{%- endmacro %}

{# Measures of a semantic model that are sums: name -> {'expr', 'type'}. #}
{% macro summed_measures(name) -%}
    {%- set found = {} -%}
    {%- set declared = semantic_model(name) -%}
    {%- for measure in (declared.measures if declared else []) if measure.agg == 'sum' -%}
        {%- do found.update({measure.name: {'expr': measure.expr, 'type': measure.config.meta.data_type}}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# Measures of a semantic model that count distinct members: name -> {'expr', 'type'}. #}
{% macro counted_measures(name) -%}
    {%- set found = {} -%}
    {%- set declared = semantic_model(name) -%}
    {%- for measure in (declared.measures if declared else []) if measure.agg == 'count_distinct' -%}
        {%- do found.update({measure.name: {'expr': measure.expr, 'type': measure.config.meta.data_type}}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# A fact and the person its customer is today; `model` tells the columns. #}
{% macro with_people(fact) %}
select
    {%- for column in model.columns.values() %}
    {{ 'coalesce(links.mastered_customer_key, ' ~ unknown_key() ~ ') as ' if column.name == 'mastered_customer_key' else 'fact.' }}
    {{- column.name }}{{ "," if not loop.last }}
    {%- endfor %}
from {{ fact }} as fact
left join {{ ref('bridge_identity') }} as links
    on fact.customer_durable_key = links.customer_durable_key
    and links.is_current
{% endmacro %}
