{#
  An SCD2 dimension covers all time once per member: version keys are unique, spans are neither empty nor gapped nor
  overlapping, the first begins 1900-01-01, the last ends 9999-12-31 and is the only current one. A night looks at the
  members it cut anew and the inferred ones.
#}
{% test spans_of_time(model, entity, feed) %}
    {%- set changed = ref('changed_' ~ feed) %}
with
spans as (
    select
        {{ entity }}_key, {{ entity }}_durable_key, valid_from, valid_to, is_current,
        lag(valid_to) over (partition by {{ entity }}_durable_key order by valid_from, valid_to) as previous_to,
        lead(valid_from) over (partition by {{ entity }}_durable_key order by valid_from, valid_to) as next_from,
        count(*) over (partition by {{ entity }}_key) as key_count
    from {{ model }}
    {%- if not rebuilt(model.identifier) %}
    where is_inferred or {{ entity }}_durable_key in (select {{ entity }}_durable_key from {{ changed }})
    {%- endif %}
)

select *
from spans
where
    key_count > 1
    or valid_from >= valid_to
    or valid_from is distinct from coalesce(previous_to, {{ first_day() }})
    or valid_to is distinct from coalesce(next_from, {{ last_day_of_time() }})
    or is_current is distinct from (next_from is null)
{% endtest %}
