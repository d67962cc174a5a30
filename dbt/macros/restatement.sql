{# What a change of a dimension's past means for facts already loaded, and for the cube months above them. #}

{# The earliest date a load changes for members already held, as 'YYYY-MM-DD'; nothing on an ordinary night. #}
{% macro changed_since(feed) %}
    {%- set changed = ref('changed_' ~ feed) -%}
    {%- if execute -%}
        {%- set found = run_query("select cast(min(changed_from) as string) from " ~ changed) -%}
        {{ return(found.columns[0].values()[0]) }}
    {%- endif -%}
{% endmacro %}

{#
  Post-hook of a fact: points facts loaded earlier to the versions that are valid at their date now. `carried` are the
  columns the fact takes from the version; `computed` maps further columns to SQL over `fact` and `version`. A literal
  first date keeps it to the changed part of a date-sorted fact; on a night that changes no held member it does nothing
  at all.
#}
{% macro repoint(entity, feed, date_column, carried, computed={}) %}
    {#- outside the condition, so that dbt sees the edges when it parses -#}
    {%- set dimension = ref('dim_' ~ entity) -%}
    {%- set changed = ref('changed_' ~ feed) -%}
    {%- set values = dict(computed) -%}
    {%- for column in carried -%}
        {%- do values.update({column: 'version.' ~ column}) -%}
    {%- endfor -%}
    {%- if is_incremental() -%}
        {%- set since = changed_since(feed) -%}
        {%- if since %}
            {%- set source -%}
    select version.*, changed.changed_from
    from {{ dimension }} as version
    inner join {{ changed }} as changed on version.{{ entity }}_durable_key = changed.{{ entity }}_durable_key
            {%- endset -%}
            {%- set condition -%}
    fact.{{ entity }}_durable_key = version.{{ entity }}_durable_key
    and fact.{{ date_column }} >= date '{{ since }}'
    and fact.{{ date_column }} >= version.changed_from
    and fact.{{ date_column }} >= version.valid_from
    and fact.{{ date_column }} < version.valid_to
    and (
        {%- for column, value in values.items() %}
        fact.{{ column }} is distinct from {{ value }}{{ " or" if not loop.last }}
        {%- endfor %}
    )
            {%- endset -%}
            {{ adapter.dispatch('update_rows')(this, values, source, condition) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#
  First days of the months whose aggregates a load changes, as a query: those its batch has rows in, and those of facts
  whose member changed. `members` maps entity -> descriptive feed.
#}
{% macro restated_months(fact, date_column, feed, members) %}
    select {{ first_of('month', date_column) }} as month_start_date from {{ fact }} where false
    {%- for month in touched_months(feed) %}
    union all
    select date '{{ month }}' as month_start_date
    {%- endfor %}
    {%- for entity, member_feed in members.items() %}
    {%- set changed = ref('changed_' ~ member_feed) %}
    {%- set since = changed_since(member_feed) %}
    {%- if since %}
    union all
    select {{ first_of('month', 'fact.' ~ date_column) }} as month_start_date
    from {{ fact }} as fact
    inner join {{ changed }} as changed
        on fact.{{ entity }}_durable_key = changed.{{ entity }}_durable_key
        and fact.{{ date_column }} >= changed.changed_from
    where fact.{{ date_column }} >= date '{{ since }}'
    {%- endif %}
    {%- endfor %}
{% endmacro %}

{# Give `values` (column -> SQL over `fact` and `version`) to the rows that one row of `source` (`version`) belongs to. #}
{% macro default__update_rows(relation, values, source, condition) %}
update {{ relation }} as fact
set
    {%- for column, value in values.items() %}
    {{ column }} = {{ value }}{{ "," if not loop.last }}
    {%- endfor %}
from ({{ source }}) as version
where {{ condition }};
{% endmacro %}

{# Take the rows of a table (alias `fact`) out that a predicate is true of; as a hook, or part of one. #}
{% macro delete_rows(relation, predicate) %}{{ adapter.dispatch('delete_rows')(relation, predicate) }}{% endmacro %}
{% macro default__delete_rows(relation, predicate) %}
delete from {{ relation }} as fact where {{ predicate }};
{% endmacro %}
