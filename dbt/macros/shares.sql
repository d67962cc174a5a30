{#
  An equal share of 1 to twelve decimals for the `nth` of `parts`; the first part also takes what rounding leaves over,
  so that the shares sum to exactly 1.
#}
{% macro share_of_one(parts, nth) -%}
    {%- set share = 'cast(round(1.0 / nullif(' ~ parts ~ ', 0), 12) as decimal(18, 12))' -%}
    cast(
        case when {{ nth }} = 1 then 1 - ({{ parts }} - 1) * {{ share }} else {{ share }} end as decimal(18, 12)
    )
{%- endmacro %}
