{#
  How a release is kept apart from the one it grew from, on Parquet alone. A table is its columns and a list of
  directories: one, or one a month for a fact (column partition_month, 'YYYY-MM'). Directories are written once: what
  changes goes to a new one, to which this release's table is then pointed. Earlier releases keep theirs, so a
  load that breaks off has changed nothing, and a night writes the months it touches.
#}

{% macro spark_directory(relation, part) -%}
    {%- set stamp = modules.datetime.datetime.now().strftime('%H%M%S%f') -%}
    {{ env_var('CLIENTELE_SPARK_DATA') }}/{{ relation.identifier }}/{{ part }}-{{ stamp }}
{%- endmacro %}

{# The date whose month a table is partitioned by; none for small tables. #}
{% macro spark_partition_date() -%}
    {%- if 'month_start_date' in model.columns and model.config.materialized == 'incremental' -%}
        {{ return('month_start_date') }}
    {%- endif -%}
    {{ return((model.config.get('meta') or {}).get('date_column')) }}
{%- endmacro %}

{# The model's columns, typed as its contract says. #}
{% macro spark_columns() -%}
    {%- for column in model.columns.values() %}
    cast({{ column.name }} as {{ sql_type(column.data_type) }}) as {{ column.name }}{{ "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro spark_column_names() -%}
    {{ model.columns.keys() | join(', ') }}
{%- endmacro %}

{% macro spark_select(sql) -%}
    {%- set day = spark_partition_date() -%}
select {{ spark_columns() }}
    {%- if day %}, date_format({{ day }}, 'yyyy-MM') as partition_month{% endif %}
from (
{{ sql }}
) as built
{%- endmacro %}

{% macro spark_create(relation, sql, directory=none) -%}
create table {{ relation }} using parquet
{{ 'partitioned by (partition_month)' if spark_partition_date() }}
location '{{ directory or spark_directory(relation, 'all') }}'
as {{ spark_select(sql) }}
{%- endmacro %}

{#
  Write rows (a query of the contract's columns) to a new directory and point the table there: all of it, or the months
  that are given, those without rows too. One statement writes all of them: a night that touched most months of
  customer_month_states took 125 s month by month and 30 s so, on a busy machine.
#}
{% macro spark_point(relation, rows, months) %}
    {%- set written = relation.incorporate(path={'identifier': relation.identifier ~ '__written'}, type='table') -%}
    {%- set directory = spark_directory(relation, 'part') -%}
    {%- do run_query(spark_create(written, rows, directory)) -%}
    {%- if spark_partition_date() -%}
        {%- do spark_drop_months(relation, months) -%}
        {%- set found = spark_partitions(written) -%}
        {%- if found -%}
            {%- do spark_add_months(relation, found, directory) -%}
        {%- endif -%}
    {%- else -%}
        {%- do run_query("alter table " ~ relation ~ " set location '" ~ directory ~ "'") -%}
    {%- endif -%}
    {%- do run_query('drop table ' ~ written) -%}
    {%- do run_query('refresh table ' ~ relation) -%}
{% endmacro %}

{# The months a table has rows of, as its catalog tells: no file is read. #}
{% macro spark_partitions(relation) %}
    {%- set found = [] -%}
    {%- for row in run_query('show partitions ' ~ relation).rows -%}
        {%- do found.append(row[0].split('=')[1]) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{% macro spark_drop_months(relation, months) %}
    {%- set named = [] -%}
    {%- for month in months -%}
        {%- do named.append("partition (partition_month = '" ~ month ~ "')") -%}
    {%- endfor -%}
    {%- do run_query('alter table ' ~ relation ~ ' drop if exists ' ~ named | join(', ')) -%}
{% endmacro %}

{% macro spark_add_months(relation, months, directory) %}
    {%- set named = [] -%}
    {%- for month in months -%}
        {%- do named.append(
            "partition (partition_month = '" ~ month ~ "') location '" ~ directory ~ "/partition_month=" ~ month ~ "'"
        ) -%}
    {%- endfor -%}
    {%- do run_query('alter table ' ~ relation ~ ' add ' ~ named | join(' ')) -%}
{% endmacro %}

{# The months of a table that have rows under a condition on `fact`; [none] for a table without months, if any row. #}
{% macro spark_months(relation, condition) %}
    {%- set found = [] -%}
    {%- set month = 'fact.partition_month' if spark_partition_date() else 'cast(null as string)' -%}
    {%- for row in run_query('select distinct ' ~ month ~ ' from ' ~ relation ~ ' as fact where ' ~ condition).rows -%}
        {%- do found.append(row[0]) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{% macro spark_in_months(alias, months) -%}
    {{ alias ~ ".partition_month in ('" ~ months | join("', '") ~ "')" if spark_partition_date() else 'true' }}
{%- endmacro %}

{# A month all of whose rows go is no more than taken out of the table. #}
{% macro spark__delete_rows(relation, predicate) %}
    {%- set months = spark_months(relation, predicate) -%}
    {%- if months -%}
        {%- set stays = spark_in_months('fact', months) ~ ' and not coalesce(' ~ predicate ~ ', false)' -%}
        {%- set anew = spark_months(relation, stays) if spark_partition_date() else months -%}
        {%- set whole = months | reject('in', anew) | list -%}
        {%- if whole -%}
            {%- do spark_drop_months(relation, whole) -%}
        {%- endif -%}
        {%- if anew -%}
            {%- do spark_point(relation, 'select ' ~ spark_column_names() ~ ' from ' ~ relation ~ ' as fact where ' ~ stays, anew) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro spark__update_rows(relation, values, source, condition) %}
    {%- set months = spark_months(relation, 'exists (select 1 from (' ~ source ~ ') as version where ' ~ condition ~ ')') -%}
    {%- if months -%}
        {%- set updated -%}
select
            {%- for column in model.columns.values() %}
    {% if column.name in values -%}
    cast(case when version.is_found then {{ values[column.name] }} else fact.{{ column.name }} end as {{ sql_type(column.data_type) }})
            {%- else -%} fact.{{ column.name }} {%- endif %} as {{ column.name }}{{ "," if not loop.last }}
            {%- endfor %}
from {{ relation }} as fact
left join (select *, true as is_found from ({{ source }}) as versions) as version on {{ condition }}
where {{ spark_in_months('fact', months) }}
        {%- endset -%}
        {%- do spark_point(relation, updated, months) -%}
    {%- endif -%}
{% endmacro %}
