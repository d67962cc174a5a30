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
  The batch is computed once, beside. A month that the table has nothing of is the batch's directory; the others that the
  batch has rows in, or replaces some of by its `unique_key`, are written anew: what the table keeps of them, and the
  batch.
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
        {%- set directory = spark_directory(target_relation, 'batch') -%}
        {%- call statement('main') -%}
            {{ spark_create(batch, sql, directory) }}
        {%- endcall -%}
        {%- do spark_apply(target_relation, batch, directory, config.get('unique_key')) -%}
        {%- do run_query('drop table ' ~ batch) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro spark_apply(relation, batch, directory, unique_key) %}
    {%- set key = [unique_key] if unique_key is string else (unique_key or []) -%}
    {%- set same_key -%}
        {%- for column in key -%} batch.{{ column }} = fact.{{ column }}{{ " and " if not loop.last }}{%- endfor -%}
    {%- endset -%}
    {%- set replaced = 'exists (select 1 from ' ~ batch ~ ' as batch where ' ~ same_key ~ ')' if key else 'false' -%}
    {%- set anew = spark_months(relation, replaced) if key else [] -%}
    {%- set adopted = [] -%}
    {%- if spark_partition_date() -%}
        {%- set held = spark_partitions(relation) -%}
        {%- for month in spark_partitions(batch) -%}
            {%- do (anew if month in held else adopted).append(month) -%}
        {%- endfor -%}
    {%- else -%}
        {%- do anew.extend(spark_months(batch, 'true')) -%}
    {%- endif -%}
    {%- if adopted -%}
        {%- do spark_add_months(relation, adopted, directory) -%}
    {%- endif -%}
    {%- if anew -%}
        {%- set whole -%}
select {{ spark_column_names() }} from {{ relation }} as fact where {{ spark_in_months('fact', anew) }} and not {{ replaced }}
union all
select {{ spark_column_names() }} from {{ batch }} as batch where {{ spark_in_months('batch', anew) }}
        {%- endset -%}
        {%- do spark_point(relation, whole, anew | unique | list) -%}
    {%- endif -%}
{% endmacro %}
