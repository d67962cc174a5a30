{#
  A row per row of a relation and kind of segment: the column's name as `segment_kind`, its value as `segment`, and the
  columns that are kept. Spark plans a relation anew each time it is read: mart_churn read people 72 times, 10 s of a
  small load, and takes 3.
#}
{% macro by_segment(relation, kinds, kept) -%}{{ adapter.dispatch('by_segment')(relation, kinds, kept) }}{%- endmacro %}
{% macro default__by_segment(relation, kinds, kept) -%}
    {%- for kind in kinds %}
    select {{ kept | join(', ') }}, '{{ kind }}' as segment_kind, {{ kind }} as segment from {{ relation }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}
