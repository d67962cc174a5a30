-- One row per subject, source of measures, dimension, level of a dimension, metric and policy of the dictionary
-- (models/semantic), and per concept that is not measured yet (`source`: what it waits for).
-- No measures. Made whole each load.
{%- set columns = ['kind', 'name', 'subject', 'label', 'description', 'data_type', 'unit', 'source', 'definition'] %}
{%- set rows = catalog_rows() %}

select declared.{{ columns | join(', declared.') }}
from (
    values
    {%- for row in rows or [{}] %}
    (
        {%- for column in columns %}
        {{ catalog_literal(row[column]) }}{{ "," if not loop.last }}
        {%- endfor %}
    ){{ "," if not loop.last }}
    {%- endfor %}
) as declared ({{ columns | join(', ') }})
union all
select
    'unmeasured' as kind, concept, null as subject, label, description, null as data_type, null as unit, waits_for,
    null as definition
from {{ ref('unmeasured_concepts') }}
