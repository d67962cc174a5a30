{# Tables on Spark: dbt-spark's own would overwrite what an earlier release reads. #}

{% materialization table, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if load_relation(this) is not none -%}
        {%- do run_query('drop table ' ~ this) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        {{ spark_create(target_relation, sql) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#
  The batch is computed once, beside; then each month it has rows in is written anew: what the table holds of it, less
  the rows with a `unique_key` of the batch, and the batch.
#}
{% materialization incremental, adapter='spark' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set is_first = load_relation(this) is none or should_full_refresh() -%}
    {{ run_hooks(pre_hooks) }}
    {%- if is_first -%}
        {%- if load_relation(this) is not none -%}
            {%- do run_query('drop table ' ~ this) -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {{ spark_create(target_relation, sql) }}
        {%- endcall -%}
    {%- else -%}
        {%- set batch = this.incorporate(path={'identifier': this.identifier ~ '__batch'}, type='table') -%}
        {%- call statement('main') -%}
            {{ spark_create(batch, sql) }}
        {%- endcall -%}
        {%- do spark_apply(target_relation, batch, config.get('unique_key')) -%}
        {%- do run_query('drop table ' ~ batch) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro spark_apply(relation, batch, unique_key) %}
    {%- set key = [unique_key] if unique_key is string else (unique_key or []) -%}
    {%- set same_key -%}
        {%- for column in key -%} batch.{{ column }} = fact.{{ column }}{{ " and " if not loop.last }}{%- endfor -%}
    {%- endset -%}
    {%- set replaced = 'exists (select 1 from ' ~ batch ~ ' as batch where ' ~ same_key ~ ')' if key else 'false' -%}
    {%- set months -%}
select {{ spark_month_of('batch') }} as partition_month from {{ batch }} as batch
{%- if key %}
union
select {{ spark_month_of('fact') }} as partition_month from {{ relation }} as fact where {{ replaced }}
{%- else %}
group by 1
{%- endif %}
    {%- endset -%}
    {%- set found = spark_months(months) -%}
    {%- if found | length > spark_most_months() -%}
        {%- do spark_replace(relation, spark_rows_with_batch(relation, batch, replaced)) -%}
    {%- else -%}
        {%- for month in found -%}
            {%- do spark_point(relation, spark_rows_with_batch(relation, batch, replaced, month), month) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# What the table, or a month of it, holds after the batch. #}
{% macro spark_rows_with_batch(relation, batch, replaced, month=none) -%}
select {{ spark_column_names() }} from {{ relation }} as fact where {{ spark_in_month('fact', month) }} and not {{ replaced }}
union all
select {{ spark_column_names() }} from {{ batch }} as batch where {{ spark_in_month('batch', month) }}
{%- endmacro %}
