{#
  Staging models by canonical feed. The loader passes those of the enabled sources in CLIENTELE_STAGING, found by file
  name (stg_<source>__<feed>.sql); the default lets plain dbt work on Complete Journey.
#}
{% macro staging_models(feed) %}
    {%- set complete_journey = {} -%}
    {%- for name in [
        'campaign_contacts', 'campaigns', 'coupon_redemptions', 'coupons', 'customers', 'order_lines', 'products',
        'promo_exposures',
    ] -%}
        {%- do complete_journey.update({name: ['stg_complete_journey__' ~ name]}) -%}
    {%- endfor -%}
    {{ return(fromjson(env_var('CLIENTELE_STAGING', tojson(complete_journey))).get(feed, [])) }}
{% endmacro %}

{#
  The staging models of a canonical feed in the shape of the contract: its columns and types are those of the model's
  YAML, which the contract generates. Typed NULL for what a staging model lacks; a column the contract does not know is
  an error. No staging model: an empty typed view.
#}
{% macro united(feed) %}
    {#- outside the condition, so that dbt sees the edges when it parses -#}
    {%- set staged = [] -%}
    {%- for name in staging_models(feed) -%}
        {%- do staged.append(ref(name)) -%}
    {%- endfor -%}
    {%- if not execute -%}
select 1 as nothing
    {%- else -%}
    {%- for relation in staged %}
    {#- unquoted names keep the case the source wrote them in -#}
    {%- set given = get_columns_in_query('select * from ' ~ relation) | map('lower') | list -%}
    {%- for name in given if name not in model.columns -%}
        {{ exceptions.raise_compiler_error(
            relation.identifier ~ " gives the column " ~ name ~ ", which " ~ feed ~ " has not. "
            ~ "Rename it to a column of sources/contract.yml, or add it there and run: python -m dagster_project.contract"
        ) }}
    {%- endfor %}
select
    {%- for column in model.columns.values() %}
    cast({{ column.name if column.name in given else 'null' }} as {{ sql_type(column.data_type) }}) as {{ column.name }}
    {{- "," if not loop.last }}
    {%- endfor %}
from {{ relation }}
{{ "union all" if not loop.last }}
    {%- else %}
select
    {%- for column in model.columns.values() %}
    cast(null as {{ sql_type(column.data_type) }}) as {{ column.name }}{{ "," if not loop.last }}
    {%- endfor %}
where false
    {%- endfor %}
    {%- endif -%}
{% endmacro %}
