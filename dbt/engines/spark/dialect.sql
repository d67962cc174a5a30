{# What Spark calls otherwise: the variants of macros that dispatch by engine. Each is compared with DuckDB's by a test. #}

{% macro spark__generate_database_name(custom_database_name, node) -%}
    {{ return(none) }}
{%- endmacro %}

{# A text has no length; a moment without zone is said so, whatever the session's default is. #}
{% macro spark__sql_type(type) -%}
    {{ {
        'varchar': 'string', 'text': 'string', 'timestamp': 'timestamp_ntz', 'timestamptz': 'timestamp_ltz',
        'timestamp with time zone': 'timestamp_ltz', 'hugeint': 'decimal(38, 0)',
    }.get(type | lower, type) }}
{%- endmacro %}

{% macro spark__number_of_hex(digits) -%}
    cast(conv({{ digits }}, 16, 10) as bigint)
{%- endmacro %}

{% macro spark__local_time(utc, zone) -%}
    convert_timezone('UTC', '{{ zone }}', {{ utc }})
{%- endmacro %}

{# Java takes the first of two equal wall-clock times. #}
{% macro spark__utc_time(local, zone) -%}
    {%- set first = "convert_timezone('" ~ zone ~ "', 'UTC', " ~ local ~ ")" -%}
    {%- set second = first ~ " + interval 1 hour" -%}
    case when convert_timezone('UTC', '{{ zone }}', {{ second }}) = {{ local }} then {{ second }} else {{ first }} end
{%- endmacro %}

{# The session's zone is UTC. #}
{% macro spark__utc_moment(moment) -%}
    cast({{ moment }} as timestamp_ntz)
{%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add({{ day }}, cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_months(day, months) -%}
    add_months({{ day }}, {{ months }})
{%- endmacro %}

{% macro spark__days_from(earlier, later) -%}
    datediff({{ later }}, {{ earlier }})
{%- endmacro %}

{% macro spark__seconds_from(earlier, later) -%}
    (unix_seconds(cast({{ later }} as timestamp_ltz)) - unix_seconds(cast({{ earlier }} as timestamp_ltz)))
{%- endmacro %}

{% macro spark__iso_weekday(day) -%}
    (weekday({{ day }}) + 1)
{%- endmacro %}

{% macro spark__each_day(first, last) -%}
    select explode(sequence(date '{{ first }}', date '{{ last }}', interval 1 day)) as calendar_date
{%- endmacro %}

{% macro spark__by_segment(relation, kinds, kept) -%}
    {%- set pairs = [] -%}
    {%- for kind in kinds -%}
        {%- do pairs.append("'" ~ kind ~ "', " ~ kind) -%}
    {%- endfor %}
    select {{ kept | join(', ') }}, stack({{ kinds | length }}, {{ pairs | join(', ') }}) as (segment_kind, segment)
    from {{ relation }}
{%- endmacro %}

{% macro spark__each_number(first, last) -%}
    select explode(sequence({{ first }}, {{ last }})) as number
{%- endmacro %}

{#
  Files of one feed as one relation: <feed>/{load=a,load=b}/part.parquet. Spark takes a path where DuckDB takes a list,
  and reads a file's columns by name.
#}
{% macro spark__parquet_files(paths) -%}
    {%- set parts = paths[0].split('/') -%}
    {%- set folders = [] -%}
    {%- for path in paths -%}
        {%- do folders.append(path.split('/')[-2]) -%}
    {%- endfor -%}
    {%- set folder = folders[0] if folders | length == 1 else '{' ~ folders | join(',') ~ '}' -%}
    parquet.`{{ parts[:-2] | join('/') }}/{{ folder }}/{{ parts[-1] }}`
{%- endmacro %}

{# dbt-spark binds texts between bare quotes; these are escaped, and typed by the seed's columns. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set insert -%}
insert into {{ this }} values
        {%- for row in agate_table.rows %}
    (
            {%- for column in agate_table.column_names -%}
                {%- set value = row[column] -%}
    cast({{ 'null' if value is none else dbt.string_literal(value | string | replace("'", "\\'")) }} as {{ types.get(column, 'string') }})
                {{- ", " if not loop.last }}
            {%- endfor -%}
    ){{ "," if not loop.last }}
        {%- endfor %}
    {%- endset -%}
    {%- do adapter.add_query(insert, abridge_sql_log=True) -%}
    {{ return(insert) }}
{% endmacro %}

{% macro spark__grain_view(view, columns, table, grain, told) %}
    {%- do run_query(
        'create or replace view ' ~ view ~ " comment '" ~ told ~ "' as select " ~ columns | join(', ')
        ~ ' from ' ~ table ~ " where grain = '" ~ grain ~ "'"
    ) -%}
{% endmacro %}

{# A table is dropped before it is made here, so the grains across months are made whole. #}
{% macro spark__kept_grains() -%}
    {{ return(none) }}
{%- endmacro %}
