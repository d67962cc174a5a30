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

{#
  An amount of money over a count of pieces, to four decimals, halves away from zero. DuckDB divides decimals as doubles,
  which hold 0.59625 as a little less, and Spark as decimals (one of 1.4M lines differed): a nudge far above what a
  double errs, and below what tells a quotient of up to 400,000 pieces from a half, settles it.
#}
{% macro price_of_one(amount, pieces) -%}
    {%- set nudge = 'case when (' ~ amount ~ ' < 0) = (' ~ pieces ~ ' < 0) then 0.0000000001 else -0.0000000001 end' -%}
    cast(round({{ amount }} / nullif({{ pieces }}, 0) + {{ nudge }}, 4) as decimal(19, 4))
{%- endmacro %}
