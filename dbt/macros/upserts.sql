{#
  Facts of events that may change later. The variable `upserted` names, per canonical feed, the landed feeds that bring
  versions (`extract: upsert`); where there are none, all of this is what it was without: the batch is appended.

  A night: the facts of the keys that the batch brings a newer version of are deleted (`forget_superseded`, a pre-hook),
  the newest version of each key is inserted (`applied_rows`). A rebuild: the newest version of each key. A version that
  is no row of this fact (a tombstone, or one that goes to another canonical feed now) has op 'delete'.
#}

{% macro upserted_feeds(feed) %}
    {{ return(var('upserted', {}).get(feed, [])) }}
{% endmacro %}

{# The rows of a canonical feed that a fact gets; `key` identifies an event within its landed feed. #}
{% macro applied_rows(feed, key, whole) -%}
    {%- set upserted = upserted_feeds(feed) -%}
    {%- set applied = 'true' if whole else in_batch() -%}
    {%- if not upserted %}
    select *
    from {{ ref(feed) }}
    where {{ applied }}
    {%- else %}
    select *
    from {{ ref(feed) }}
    where {{ applied }} and source_feed not in ({{ quoted(upserted) }})
    union all
    select *
    from (
        select *
        from {{ ref(feed) }}
        where {{ applied }} and source_feed in ({{ quoted(upserted) }})
        qualify row_number() over (
            partition by source_feed, {{ key | join(', ') }}
            order by updated_at desc nulls last, is_superseded, load_id desc, load_row desc
        ) = 1
    ) as newest
    where op is distinct from 'delete'{{ '' if whole else ' and not is_superseded' }}
    {%- endif %}
{%- endmacro %}

{#
  Pre-hook of a fact: takes out the rows whose key the batch brings a newer version of. The old row may lie on another
  day than the new one: landing names the days a batch takes rows from, too, and literal dates keep the search to them.
#}
{% macro forget_superseded(feed, key, date_column) %}
    {#- outside the condition, so that dbt sees the edges when it parses -#}
    {%- set rows = ref(feed) -%}
    {%- set audit = ref('dim_audit') -%}
    {%- set upserted = upserted_feeds(feed) if is_incremental() and batch_loads() else [] -%}
    {%- for name in upserted %}
        {%- set replaced -%}
    {{ touched_dates(feed, 'fact.' ~ date_column, this.identifier) }}
    and fact.audit_key in (select audit_key from {{ audit }} where source_feed = '{{ name }}')
    and exists (
        select 1
        from {{ rows }} as version
        where
            {{ in_batch('version.load_id') }}
            and version.source_feed = '{{ name }}'
            and not version.is_superseded
            {%- for column in key %}
            and version.{{ column }} = fact.{{ column }}
            {%- endfor %}
    )
        {%- endset -%}
        {{ delete_rows(this, replaced) }}
    {%- endfor -%}
{% endmacro %}
