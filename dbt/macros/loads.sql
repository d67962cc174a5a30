{# What this load brings: the variables `batch_loads`, `rebuild` and `touched` turned into literal predicates. #}

{% macro rebuilt(model_name) %}
    {{ return(model_name in var('rebuild', [])) }}
{% endmacro %}

{% macro batch_loads() %}
    {{ return(var('batch_loads', [])) }}
{% endmacro %}

{% macro quoted(values, cast_to='') -%}
    {%- for value in values -%}{{ cast_to }}{{ "'" ~ value ~ "'" }}{{ ", " if not loop.last }}{%- endfor -%}
{%- endmacro %}

{# Rows that an incremental model applies tonight; all rows when the model is built from scratch. #}
{% macro in_this_load(column='load_id') -%}
    {%- if not is_incremental() -%} true
    {%- else -%} {{ in_batch(column) }}
    {%- endif -%}
{%- endmacro %}

{% macro in_batch(column='load_id') -%}
    {%- if batch_loads() -%} {{ column }} in ({{ quoted(batch_loads()) }})
    {%- else -%} false
    {%- endif -%}
{%- endmacro %}

{#
  Literal dates for tests: a night's tests read what the night touched, not the history.
  `model_name` is the tested model; when it was rebuilt, everything is read.
#}
{% macro touched_dates(feed, column, model_name) -%}
    {%- set dates = var('touched', {}).get(feed) -%}
    {%- if rebuilt(model_name) -%} true
    {%- elif dates -%} {{ column }} between date '{{ dates.min }}' and date '{{ dates.max }}'
    {%- else -%} false
    {%- endif -%}
{%- endmacro %}

{# First days of the months a feed's batch has rows in. #}
{% macro touched_months(feed) %}
    {{ return(var('touched', {}).get(feed, {}).get('months', [])) }}
{% endmacro %}

{# The months as literal ranges, which DuckDB turns into skipped row groups (no rows when there are no months). #}
{% macro in_months(column, months) -%}
    {%- if not months -%} false
    {%- else -%}
    (
        {%- for month in months | sort %}
        ({{ column }} >= date '{{ month }}' and {{ column }} < {{ add_months("date '" ~ month ~ "'", 1) }})
        {{- " or" if not loop.last }}
        {%- endfor %}
    )
    {%- endif -%}
{%- endmacro %}
