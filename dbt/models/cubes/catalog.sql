-- One row per subject, source of measures, dimension, level of a dimension, metric and policy of the dictionary
-- (models/semantic).
-- No measures. Made whole each load.
{%- set columns = ['kind', 'name', 'subject', 'label', 'description', 'data_type', 'unit', 'source', 'definition'] %}
{%- set rows = catalog_rows() %}

{%- for row in rows %}
select
    {%- for column in columns %}
    {{ catalog_literal(row[column]) }} as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
{{ "union all" if not loop.last }}
{%- else %}
select
    {%- for column in columns %}
    cast(null as {{ sql_type('varchar') }}) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
where false
{%- endfor %}
