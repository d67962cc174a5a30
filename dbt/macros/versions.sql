{#
  Accumulating snapshots: one row an event, which moves forward as versions of it land (upsert feeds; an append feed
  gives each event one version). Natural key: source_system and `key`. Facts whose rows are only replaced use upserts.sql.

  A version counts if no newer one of its key had landed before it (is_superseded). The last that counts is the event
  as it is now; if that is a tombstone, the event has no row. Such a fact is configured with strategy delete+insert on
  its natural key, which replaces what the model yields, and with the post-hook `remove_deleted`.
#}

{# CTEs ending in `latest`: the events of this load as they are now, without those that are gone. #}
{% macro latest_versions(feed, key) %}
newest as (
    {{ newest_versions(feed, key, in_this_load()) }}
),

latest as (
    select *
    from newest
    where op is distinct from 'delete'
)
{%- endmacro %}

{# The last version that counts of each key, tombstones too; `where` says among which rows. #}
{% macro newest_versions(feed, key, where) -%}
    select *
    from {{ ref(feed) }}
    where {{ where }} and not coalesce(is_superseded, false)
    qualify
        row_number() over (
            partition by {{ (['source_system'] + key) | join(', ') }} order by load_id desc, load_row desc
        ) = 1
{%- endmacro %}

{#
  CTE `known` of an accumulating snapshot, after `latest_versions`: one row per event of this load that lives, with its
  milestones and `is_renewed` (whether it is in `latest`; otherwise only old versions came, and only milestones change).

  A milestone once known stays: that of the last counting version which has it, else the one the fact holds, else that
  of the first superseded version which has it. A tombstone forgets them; so does a version that comes while the event
  is gone. This depends on the order of landing alone, so nights and a rebuild agree.
#}
{% macro known_milestones(feed, key, milestones) %}
    {%- set natural_key = ['source_system'] + key -%}
    {%- set of_event = natural_key | join(', ') -%}
    {%- set same_event -%}
        {%- for column in natural_key -%} versions.{{ column }} = held.{{ column }}{{ " and " if not loop.last }}{%- endfor -%}
    {%- endset -%}
held as (
    select {{ of_event }}, {{ milestones | join(', ') }}
    from {{ this if is_incremental() else ref(feed) }}
    where {{ 'true' if is_incremental() else 'false' }}
),

-- the load of the event's last tombstone
ends as (
    select
        *,
        coalesce(is_superseded, false) as is_late,
        max(case when op = 'delete' and not coalesce(is_superseded, false) then load_id end)
            over (partition by {{ of_event }}) as ended_in
    from {{ ref(feed) }}
    where {{ in_this_load() }}
),

-- and the load with which it begins after that
versions as (
    select
        *,
        min(case when op is distinct from 'delete' and not is_late and load_id > coalesce(ended_in, '') then load_id end)
            over (partition by {{ of_event }}) as begun_in,
        row_number() over (
            partition by {{ of_event }}, is_late order by load_id, updated_at desc nulls last, load_row
        ) as nth
    from ends
),

known as (
    select
        {% for column in natural_key %}versions.{{ column }}, {% endfor -%}
        max(case when versions.is_late then 0 else 1 end) = 1 as is_renewed
        {%- for milestone in milestones %},
        coalesce(
            max_by(versions.{{ milestone }}, versions.nth)
                filter (where not versions.is_late and versions.{{ milestone }} is not null),
            max(held.{{ milestone }}) filter (where versions.ended_in is null),
            min_by(versions.{{ milestone }}, versions.nth)
                filter (where versions.is_late and versions.{{ milestone }} is not null)
        ) as {{ milestone }}
        {%- endfor %}
    from versions
    left join held on {{ same_event }}
    where
        versions.op is distinct from 'delete'
        and (
            versions.load_id >= versions.begun_in
            or (versions.ended_in is null and held.source_system is not null)
        )
    group by {% for column in natural_key %}versions.{{ column }}{{ ", " if not loop.last }}{% endfor %}
)
{%- endmacro %}

{# Post-hook: takes out the events whose last counting version of this load is a tombstone. #}
{% macro remove_deleted(feed, key) %}
    {#- outside the condition, so that dbt sees the edge when it parses -#}
    {%- set versions = ref(feed) -%}
    {%- set of_event = (['source_system'] + key) | join(', ') -%}
    {%- if is_incremental() -%}
        {%- set ended -%}
    ({{ of_event }}) in (
        select {{ of_event }} from ({{ newest_versions(feed, key, in_batch()) }}) as newest where op = 'delete'
    )
        {%- endset -%}
        {{ delete_rows(this, ended) }}
    {%- endif -%}
{% endmacro %}
