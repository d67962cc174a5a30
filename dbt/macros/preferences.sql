{#
  What each person buys most by a column of a table of people by month, in the twelve months up to the newest: by a
  measure, ties by name.
#}
{% macro preferred(table, column, measure) -%}
    select mastered_customer_key, {{ column }} as preferred
    from (
        select
            mastered_customer_key,
            {{ column }},
            row_number() over (
                partition by mastered_customer_key order by sum({{ measure }}) desc nulls last, {{ column }} asc nulls last
            ) as place
        from {{ table }}
        where
            {{ column }} is not null
            and mastered_customer_key > 0
            and month_start_date > {{ a_year_before_newest_month() }}
        group by mastered_customer_key, {{ column }}
    ) as bought
    where place = 1
{%- endmacro %}

{# The month before the twelve that end with the newest. #}
{% macro a_year_before_newest_month() -%}
    (select {{ add_months('max(months.month_start_date)', -12) }} from {{ ref('customer_months') }} as months)
{%- endmacro %}

{#
  Place of a value among all, 0 the lowest and 1 the highest, for the weighted grade. Who has none takes no place.
#}
{% macro place_of(measure) -%}
    case
        when {{ measure }} is not null
            then percent_rank() over (
                partition by case when {{ measure }} is null then 0 else 1 end order by {{ measure }} nulls last
            )
    end
{%- endmacro %}
