{#
  Members of dimensions: who was seen, which versions they have, which of them this load changed. The natural key of a
  member is (source_system, <entity>_id); its durable key hashes that, its version key hashes (durable key, effective
  date as landed). A member's first landed row is effective from 1900-01-01, so an inferred member and its first real
  version carry the same key: completing it leaves the facts alone.
#}

{% macro durable_key(columns) -%}
    {{ hash_key(['source_system'] + columns) }}
{%- endmacro %}

{#
  CTEs ending in `unseen`: members that occur in `feeds` tonight but neither in the dimension nor in its own feed.
  `known` is the CTE with the members landed tonight (or ever, when the model is built from scratch).
#}
{% macro unseen_members(columns, feeds, known) %}
    {#- feeds that no enabled source fills would only cost a view each -#}
    {%- set filled = [] -%}
    {%- for feed in feeds if staging_models(feed) -%}
        {%- do filled.append(feed) -%}
    {%- endfor -%}
    {%- set natural_key = (['source_system'] + columns) | join(', ') -%}
sightings as (
    {%- for feed in filled or feeds[:1] %}
    select {{ natural_key }}, load_id, source_feed
    from {{ ref(feed) }}
    where {{ in_this_load() }}
    {%- for column in columns %} and {{ column }} is not null{% endfor %}
    group by {{ natural_key }}, load_id, source_feed
    {{- "\n    union all" if not loop.last }}
    {%- endfor %}
),

first_sightings as (
    select *, row_number() over (partition by {{ natural_key }} order by load_id, source_feed) as sighting
    from sightings
),

unseen as (
    select {{ natural_key }}, load_id, source_feed
    from first_sightings
    where
        sighting = 1
        and not exists (
            select 1 from {{ known }} as known
            where known.source_system = first_sightings.source_system
            {%- for column in columns %} and known.{{ column }} = first_sightings.{{ column }}{% endfor %}
        )
    {%- if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as held
            where held.source_system = first_sightings.source_system
            {%- for column in columns %} and held.{{ column }} = first_sightings.{{ column }}{% endfor %}
        )
    {%- endif %}
)
{%- endmacro %}

{#
  CTEs ending in `versions`: the SCD2 versions of the members this load touches, cut anew from all their landed rows,
  and one inferred version for each unseen member. Validity is half-open in local business days; the earliest version
  reaches back to 1900-01-01, the last to 9999-12-31. Of several rows with one effective date the newest version wins,
  then the last landed.
  A deletion is a version too, with the last known values.
#}
{% macro scd2_versions(entity, feed, attributes, seen_in) %}
    {%- set id = entity ~ '_id' -%}
    {%- set member = 'source_system, ' ~ id -%}
    {#- outside the condition, so that dbt sees the edge when it parses -#}
    {%- set changed = ref('changed_' ~ feed) -%}
touched as (
    {%- if is_incremental() %}
    select {{ member }} from {{ changed }}
    {%- else %}
    select distinct {{ member }} from {{ ref(feed) }}
    {%- endif %}
),

landed as (
    select
        landed.*,
        row_number() over (
            partition by landed.source_system, landed.{{ id }}, landed.effective_from
            order by landed.updated_at desc nulls last, landed.load_id desc, landed.load_row desc
        ) as landing_rank
    from {{ ref(feed) }} as landed
    {%- if is_incremental() %}
    inner join touched on landed.source_system = touched.source_system and landed.{{ id }} = touched.{{ id }}
    {%- endif %}
),

neighbours as (
    select
        *,
        lag(effective_from) over (partition by {{ member }} order by effective_from) as previous_from,
        lead(effective_from) over (partition by {{ member }} order by effective_from) as next_from
    from landed
    where landing_rank = 1
),

{{ unseen_members([id], seen_in, 'touched') }},

spans as (
    select
        {{ member }}, {{ attributes | join(', ') }}, effective_from,
        case when previous_from is null then {{ first_day() }} else effective_from end as valid_from,
        coalesce(next_from, {{ last_day_of_time() }}) as valid_to,
        next_from is null as is_current,
        op = 'delete' as is_deleted,
        false as is_inferred,
        load_id, source_feed
    from neighbours
    union all
    select
        {{ member }}, {% for attribute in attributes %}null as {{ attribute }}, {% endfor %}{{ first_day() }} as effective_from,
        {{ first_day() }} as valid_from,
        {{ last_day_of_time() }} as valid_to,
        true as is_current,
        false as is_deleted,
        true as is_inferred,
        load_id, source_feed
    from unseen
),

durable as (
    select *, {{ durable_key([id]) }} as {{ entity }}_durable_key
    from spans
),

versions as (
    select
        durable.*,
        {{ hash_key([entity ~ '_durable_key', 'effective_from']) }} as {{ entity }}_key,
        coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key
    from durable
    left join {{ ref('dim_audit') }} as batches
        on durable.load_id = batches.load_id
        and durable.source_feed = batches.source_feed
)
{%- endmacro %}

{#
  Members of a descriptive feed that the batch brings rows of, and `changed_from`: the earliest date from which a member
  that the dimension already holds changes (NULL for a new member: no loaded fact points to it). A row that is effective
  before all that had landed becomes the earliest version, which reaches back to the first day. Built before the
  dimension is cut anew, because afterwards nobody knows who was held; hence the look at the table without ref().
#}
{% macro changed_members(entity, feed) %}
    {%- set id = entity ~ '_id' -%}
    {%- set dimension = 'dim_' ~ entity -%}
    {%- set held = built_table('star', dimension) -%}
    {%- set nothing_held = held is none or rebuilt(dimension) -%}
with
batch as (
    select source_system, {{ id }}, min(effective_from) as effective_from
    from {{ ref(feed) }}
    where {{ 'false' if nothing_held else in_batch() }}
    group by source_system, {{ id }}
),

held as (
    {%- if nothing_held %}
    select source_system, {{ id }} from batch where false
    {%- else %}
    select distinct members.source_system, members.{{ id }}
    from {{ held }} as members
    inner join batch on members.source_system = batch.source_system and members.{{ id }} = batch.{{ id }}
    {%- endif %}
),

before as (
    {%- if nothing_held %}
    select source_system, {{ id }}, effective_from from batch where false
    {%- else %}
    select landed.source_system, landed.{{ id }}, min(landed.effective_from) as effective_from
    from {{ ref(feed) }} as landed
    inner join held on landed.source_system = held.source_system and landed.{{ id }} = held.{{ id }}
    where not ({{ in_batch('landed.load_id') }})
    group by landed.source_system, landed.{{ id }}
    {%- endif %}
)

select
    batch.source_system,
    batch.{{ id }},
    {{ hash_key(['batch.source_system', 'batch.' ~ id]) }} as {{ entity }}_durable_key,
    case
        when held.{{ id }} is null then null
        when batch.effective_from > before.effective_from then batch.effective_from
        else {{ first_day() }}
    end as changed_from
from batch
left join held on batch.source_system = held.source_system and batch.{{ id }} = held.{{ id }}
left join before on batch.source_system = before.source_system and batch.{{ id }} = before.{{ id }}
{%- endmacro %}

{# The special members of an SCD2 dimension hold for all time. #}
{% macro version_defaults() %}
    {{ return({
        'valid_from': first_day(), 'valid_to': last_day_of_time(),
        'is_current': 'true', 'is_deleted': 'false', 'is_inferred': 'false',
    }) }}
{% endmacro %}

{#
  CTEs ending in `latest`: for the members that this load touches (columns `member`), the last word on each of their
  rows (columns `member` + `detail`): the latest effective date, and of that the last landed.
#}
{% macro latest_landed(feed, member, detail=[]) %}
    {%- set natural_key = ['source_system'] + member -%}
touched as (
    select distinct {{ natural_key | join(', ') }}
    from {{ ref(feed) }}
    where {{ in_this_load() }}
),

landed as (
    select
        landed.*,
        row_number() over (
            partition by {% for column in natural_key + detail %}landed.{{ column }}{{ ", " if not loop.last }}{% endfor %}
            order by
                landed.effective_from desc, landed.updated_at desc nulls last, landed.load_id desc, landed.load_row desc
        ) as recency
    from {{ ref(feed) }} as landed
    {%- if is_incremental() %}
    inner join touched on
        {%- for column in natural_key %} landed.{{ column }} = touched.{{ column }}{{ " and" if not loop.last }}{% endfor %}
    {%- endif %}
),

latest as (
    select *
    from landed
    where recency = 1
)
{%- endmacro %}

{# Pre-hook: takes out all rows of the members (columns `member`) that the batch brings rows of; they are made anew. #}
{% macro forget_touched(feed, member) %}
    {#- outside the condition, so that dbt sees the edge when it parses -#}
    {%- set rows = ref(feed) -%}
    {%- set natural_key = (['source_system'] + member) | join(', ') -%}
    {%- if is_incremental() -%}
{{ delete_rows(this, '(' ~ natural_key ~ ') in (select ' ~ natural_key ~ ' from ' ~ rows ~ ' where ' ~ in_batch() ~ ')') }}
    {%- endif -%}
{% endmacro %}
