{# Landed lists that the rows of other feeds refer to, by the load that each word was said in. #}

{#
  A list to look things up in, each row with the loads it was the word of: `known_from` <= load id < `known_to`. The
  first word on a key reaches back to the beginning, the last stays after the key was deleted.
#}
{% macro lookup(source_name, feed, key) -%}
    (
        select
            landed.*,
            case
                when row_number() over (partition by {{ key }} order by _load_id nulls last, _row nulls last) = 1 then ''
                else _load_id
            end as known_from,
            coalesce(lead(_load_id) over (partition by {{ key }} order by _load_id nulls last, _row nulls last), '~') as known_to
        from {{ landed(source_name, feed) }} as landed
    )
{%- endmacro %}

{# The condition that finds the word that held when an event landed; later words never change it. #}
{% macro known_to(asking, words, key) -%}
    {{ asking }}.{{ key }} = {{ words }}.{{ key }}
    and {{ asking }}._load_id >= {{ words }}.known_from
    and {{ asking }}._load_id < {{ words }}.known_to
{%- endmacro %}

{#
  The changes of a snapshot with what they refer to: a subquery of the technical columns, `columns` and `found`. A
  change of the looked-up row is a change of every member that refers to it, so it gets a row for each.

  changes: relation of landed changes; member: its key; on: its column that refers to `key` of the looked-up feed.
#}
{% macro with_lookup(changes, member, columns, source_name, feed, key, found, on) -%}
    (
        select
            case when words.known_from > asking._load_id then words._load_id else asking._load_id end as _load_id,
            case
                when words.known_from > asking._load_id then words._effective_from else asking._effective_from
            end as _effective_from,
            case when words.known_from > asking._load_id then 'update' else asking._op end as _op,
            asking._row, asking._system, asking._feed,
            {%- for column in columns %}
            asking.{{ column }},
            {%- endfor %}
            {%- for column in found %}
            words.{{ column }}{{ "," if not loop.last }}
            {%- endfor %}
        from (
            select
                changes.*,
                coalesce(lead(_load_id) over (partition by {{ member }} order by _load_id nulls last, _row nulls last), '~') as next_load
            from {{ changes }} as changes
        ) as asking
        left join {{ lookup(source_name, feed, key) }} as words
            on asking.{{ on }} = words.{{ key }}
            and (
                (words.known_from <= asking._load_id and words.known_to > asking._load_id)
                or (
                    asking._op <> 'delete'
                    and words.known_from > asking._load_id
                    and words.known_from < asking.next_load
                )
            )
    )
{%- endmacro %}
