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

{% macro spark_create(relation, sql) -%}
create table {{ relation }} using parquet
{{ 'partitioned by (partition_month)' if spark_partition_date() }}
location '{{ spark_directory(relation, 'all') }}'
as {{ spark_select(sql) }}
{%- endmacro %}

{# More months than these are written in one go: a night that touched most months of customer_month_states took 125 s
   month by month and 30 s so, on a busy machine. #}
{% macro spark_most_months() %}{{ return(12) }}{% endmacro %}

{# All rows of the table (a query of the contract's columns, which may read it) to a new directory. #}
{% macro spark_replace(relation, rows) %}
    {%- set whole = relation.incorporate(path={'identifier': relation.identifier ~ '__whole'}, type='table') -%}
    {%- do run_query(spark_create(whole, rows)) -%}
    {%- do run_query('drop table ' ~ relation) -%}
    {%- do run_query('alter table ' ~ whole ~ ' rename to ' ~ relation) -%}
{% endmacro %}

{# Write rows (a query of the contract's columns) to a new directory and point the table, or one month of it, there. #}
{% macro spark_point(relation, rows, month=none) %}
    {%- set directory = spark_directory(relation, month or 'all') -%}
    {%- do run_query("insert overwrite directory '" ~ directory ~ "' using parquet " ~ rows) -%}
    {%- if month -%}
        {%- set partition = "partition (partition_month = '" ~ month ~ "')" -%}
        {%- do run_query('alter table ' ~ relation ~ ' drop if exists ' ~ partition) -%}
        {%- do run_query('alter table ' ~ relation ~ ' add ' ~ partition ~ " location '" ~ directory ~ "'") -%}
    {%- else -%}
        {%- do run_query('alter table ' ~ relation ~ " set location '" ~ directory ~ "'") -%}
    {%- endif -%}
    {%- do run_query('refresh table ' ~ relation) -%}
{% endmacro %}

{# The months of a table that a query finds (column partition_month); [none] for a table without months, if any row. #}
{% macro spark_months(query) %}
    {%- set found = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- do found.append(row[0]) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{% macro spark_month_of(alias) -%}
    {{ alias ~ '.partition_month' if spark_partition_date() else 'cast(null as string)' }}
{%- endmacro %}

{% macro spark_in_month(alias, month) -%}
    {{ alias ~ ".partition_month = '" ~ month ~ "'" if month else 'true' }}
{%- endmacro %}

{% macro spark__delete_rows(relation, predicate) %}
    {%- set months = spark_months(
        'select distinct ' ~ spark_month_of('fact') ~ ' as partition_month from ' ~ relation ~ ' as fact where ' ~ predicate
    ) -%}
    {%- set kept = 'select ' ~ spark_column_names() ~ ' from ' ~ relation ~ ' as fact where not coalesce(' ~ predicate ~ ', false)' -%}
    {%- if months | length > spark_most_months() -%}
        {%- do spark_replace(relation, kept) -%}
    {%- else -%}
        {%- for month in months -%}
            {%- do spark_point(relation, kept ~ ' and ' ~ spark_in_month('fact', month), month) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{% macro spark__update_rows(relation, values, source, condition) %}
    {%- set months = spark_months(
        'select distinct ' ~ spark_month_of('fact') ~ ' as partition_month from ' ~ relation ~ ' as fact inner join ('
        ~ source ~ ') as version on ' ~ condition
    ) -%}
    {%- for month in months -%}
        {%- set updated -%}
select
            {%- for column in model.columns.values() %}
    {% if column.name in values -%}
    cast(case when version.is_found then {{ values[column.name] }} else fact.{{ column.name }} end as {{ sql_type(column.data_type) }})
            {%- else -%} fact.{{ column.name }} {%- endif %} as {{ column.name }}{{ "," if not loop.last }}
            {%- endfor %}
from {{ relation }} as fact
left join (select *, true as is_found from ({{ source }}) as versions) as version on {{ condition }}
where {{ spark_in_month('fact', month) }}
        {%- endset -%}
        {%- do spark_point(relation, updated, month) -%}
    {%- endfor -%}
{% endmacro %}
