{#
  Personal data as it landed. The variable `pii` says which feeds have it: `{"<source>.<feed>": {"columns": {personal
  column: [source columns]}, "files": [{"columns": {...}, "paths": [...]}], "person": column or null}}`; `person` is
  given for a feed that others look things up in, whose rows are in no canonical feed.
#}
{% macro landed_pii() %}
    {%- set targets = {'name': 'varchar', 'email': 'varchar', 'phone': 'varchar', 'address': 'varchar', 'birth_date': 'date'} -%}
    {%- set selects = [] -%}
    {%- for feed, pii in var('pii', {}).items() -%}
    {%- for group in pii.files -%}
        {%- set select -%}
        select
            '{{ feed }}' as source_feed, _load_id as load_id, _row as load_row
            {%- for target, type in targets.items() %},
            {{ joined_text(pii['columns'].get(target, []), group['columns'], type) }} as {{ target }}
            {%- endfor %}
        from {{ counting_rows(group) }}
        {%- endset -%}
        {%- do selects.append(select) -%}
    {%- endfor -%}
    {%- endfor -%}
    (
    {%- for select in selects %}
        {{ select }}
        {{- "\n        union all" if not loop.last }}
    {%- else %}
        select
            cast(null as string) as source_feed, cast(null as string) as load_id, cast(null as bigint) as load_row
            {%- for target, type in targets.items() %}, cast(null as {{ sql_type(type) }}) as {{ target }}{% endfor %}
        where false
    {%- endfor %}
    )
{% endmacro %}

{# The columns that a file has, joined with a space; NULL where none has a value, or one that is none of the type. #}
{% macro joined_text(columns, found, type) -%}
    {%- set texts = [] -%}
    {%- for column in columns if column in found -%}
        {%- do texts.append("coalesce(nullif(trim(cast(" ~ adapter.quote(column) ~ " as string)), '') || ' ', '')") -%}
    {%- endfor -%}
    {%- if texts -%} try_cast(nullif(trim({{ texts | join(' || ') }}), '') as {{ sql_type(type) }})
    {%- else -%} cast(null as {{ sql_type(type) }})
    {%- endif -%}
{%- endmacro %}

{# Ids of the feeds with personal data whose rows stand in canonical customers. #}
{% macro pii_feeds() %}
    {%- set found = [''] -%}
    {%- for feed, pii in var('pii', {}).items() if not pii.person -%}
        {%- do found.append(feed) -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}

{# Rows of the feeds that others look things up in: the person is the customer. #}
{% macro looked_up_people() %}
    {%- for feed, pii in var('pii', {}).items() if pii.person %}
    union all
    select
        _system as source_system, cast({{ adapter.quote(pii.person) }} as string) as customer_id,
        _feed as source_feed, _load_id as load_id, _row as load_row, _op as op,
        coalesce(_effective_from, _business_date) as effective_from, cast(null as timestamp) as updated_at
    from {{ landed_files(feed, var('landing')[feed], var('landing')[feed].files) }} as landed
    where {{ in_this_load('_load_id') }}
    {%- endfor %}
{% endmacro %}
