{#
  Schemas are an interface of the warehouse: exactly the configured name, no target prefix. Where releases share one
  catalog (Spark), each has schemas of its own: the loader adds what tells them apart to what dbt has parsed.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{# A run names the models it rebuilds from all of landing; --full-refresh would be all or nothing. #}
{% macro should_full_refresh() %}
    {{ return(rebuilt(model.name)) }}
{% endmacro %}
