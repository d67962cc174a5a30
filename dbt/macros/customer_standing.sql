{# The row of dim_customer_standing; computed only where it is asked for, as fct_customer_month is a view. #}
{% macro customer_standing_key(alias) -%}
    {{ hash_key([
        alias ~ 'state', alias ~ 'lifecycle', "coalesce(" ~ alias ~ "rfm_segment, 'lapsed')", alias ~ 'pyramid_tier',
        alias ~ 'trend',
    ]) }}
{%- endmacro %}
