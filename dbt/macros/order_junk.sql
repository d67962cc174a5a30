{# The small attributes of an order that dim_order_junk combines: name -> SQL over rows of the canonical feed orders. #}
{% macro order_junk(rows) %}
    {{ return({
        'order_status': rows ~ '.order_status',
        'is_freight_charged': rows ~ '.freight <> 0',
        'is_taxed': rows ~ '.tax <> 0',
        'is_foreign_currency': rows ~ '.transaction_currency is not null',
        'is_promised': rows ~ '.promised_at is not null',
    }) }}
{% endmacro %}

{# The key of the combination, as a fact carries it: there are few orders for a hash each. #}
{% macro order_junk_key(rows) -%}
    {{ hash_key(order_junk(rows).values() | list) }}
{%- endmacro %}

{% macro order_junk_columns(rows) -%}
    {%- for name, expression in order_junk(rows).items() -%}
        {{ expression }} as {{ name }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
