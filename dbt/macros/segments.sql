{#
  A row per row of a relation and kind of segment: the column's name as `segment_kind`, its value as `segment`, and the
  columns that are kept. Spark plans a relation anew for each time it is read: 36 kinds, four times, took it ten seconds.
#}
{% macro by_segment(relation, kinds, kept) -%}{{ adapter.dispatch('by_segment')(relation, kinds, kept) }}{%- endmacro %}
{% macro default__by_segment(relation, kinds, kept) -%}
    {%- for kind in kinds %}
    select {{ kept | join(', ') }}, '{{ kind }}' as segment_kind, {{ kind }} as segment from {{ relation }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
