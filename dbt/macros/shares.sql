{#
  An equal share of 1 to twelve decimals for the `nth` of `parts`; the first part also takes what rounding leaves over,
  so that the shares sum to exactly 1. The parts are an integer: on Spark a BIGINT counts as twenty digits, and of the
  product's too many digits the last decimals are dropped without a word.
#}
{% macro share_of_one(parts, nth) -%}
    {%- set share = 'cast(round(1.0 / nullif(' ~ parts ~ ', 0), 12) as decimal(18, 12))' -%}
    cast(
        case when {{ nth }} = 1 then 1 - (cast({{ parts }} as integer) - 1) * {{ share }} else {{ share }} end as decimal(18, 12)
    )
{%- endmacro %}
