{#
  A BIGINT from the parts of a key: the last 60 bits of their md5, so never negative and never -1 or -2. Parts are
  parted by the unit separator, a NULL part is the record separator: ('a|', 'b') and ('a', '|b') differ.
  Only members of dimensions are hashed, facts get their keys by join (md5 of 20.9M rows costs more than the join).
#}
{% macro hash_key(parts) -%}
    {%- set text -%}
        {%- for part in parts -%}
            coalesce(cast({{ part }} as string), chr(30)){{ " || chr(31) || " if not loop.last }}
        {%- endfor -%}
    {%- endset -%}
    {{ adapter.dispatch('number_of_hex')("substr(md5(" ~ text ~ "), 18, 15)") }}
{%- endmacro %}

{# The number that hexadecimal digits say. #}
{% macro default__number_of_hex(digits) -%}
    cast('0x' || {{ digits }} as bigint)
{%- endmacro %}

{% macro unknown_key() %}-1{% endmacro %}
{% macro not_applicable_key() %}-2{% endmacro %}

{#
  Appends the two special members every dimension has, when it is built from scratch: keys -1 and -2, text '(unknown)'
  and '(not applicable)', the rest NULL unless `values` says otherwise. Columns and their order are those of the model's
  YAML; a unit test has none of them, so there the special members stay away.
#}
{% macro with_special_members(values={}) %}
    {%- if model.columns and not is_incremental() -%}
    {%- for key, label in [(unknown_key(), '(unknown)'), (not_applicable_key(), '(not applicable)')] %}
union all
select
        {%- for column in model.columns.values() %}
    cast(
            {%- if column.name in values -%} {{ values[column.name] }}
            {%- elif column.name.endswith('_key') -%} {{ key }}
            {%- elif column.data_type | lower == 'varchar' -%} '{{ label }}'
            {%- else -%} null
            {%- endif %} as {{ sql_type(column.data_type) }}) as {{ column.name }}{{ "," if not loop.last }}
        {%- endfor %}
    {%- endfor %}
    {%- endif -%}
{% endmacro %}

{# What a label is told apart by where sources spell it as they like. #}
{% macro normalised(label) -%}
    lower(trim({{ label }}))
{%- endmacro %}
