{# What the customer marts go by. A change here rebuilds the tables that follow from it. #}

{% macro customer_rules() -%}
    {{ return({
        'lost_after_days': 180,
        'warning_after_days': 30,
        'warning_intervals': 2,
        'exploration_order_days': 3,
        'falling_below': 0.5,
        'steady_from': 0.8,
        'steady_to': 1.2,
        'rising_from': 1.5,
        'high_value_tier': 3,
        'doubtful_below': 0.5,
    }) }}
{%- endmacro %}

{#
  First month a load makes anew in a table of customers by month, as 'YYYY-MM-DD'; none if nothing changed. Ranks of a
  month depend on everybody's orders up to then, so all months from the first touched one on; from the month that was
  open, which may have closed; and from the month that is open now, an earlier one if the newest orders were taken back.
  Only the open month is made on most nights. Needs `this` to hold every month's rows.
#}
{% macro first_restated_month() -%}
    {%- set months = sales_months() -%}
    {%- set measured = ref('customer_months') -%}
    {%- if execute and is_incremental() and months -%}
        {%- set newest = [months | first] -%}
        {%- for table in [this, measured] -%}
            {%- set found = run_query("select cast(max(month_start_date) as string) from " ~ table) -%}
            {%- do newest.append(found.columns[0].values()[0]) -%}
        {%- endfor -%}
        {{ return(newest | select | min) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{# Whether a month is made by this load; `earlier` months before it too, for those that look back. #}
{% macro in_restated_months(column, earlier=0) -%}
    {%- set first = first_restated_month() -%}
    {%- if not is_incremental() -%} true
    {%- elif first -%} {{ column }} >= {{ add_months("date '" ~ first ~ "'", -earlier) if earlier else "date '" ~ first ~ "'" }}
    {%- else -%} false
    {%- endif -%}
{%- endmacro %}

{# Pre-hook: takes the months out that are made anew. #}
{% macro forget_restated_months() -%}
    {%- set first = first_restated_month() -%}
    {%- if first -%}
{{ delete_rows(this, "fact.month_start_date >= date '" ~ first ~ "'") }}
    {%- endif -%}
{%- endmacro %}

{# A fifth by rank, 1 the lowest: equal values have equal ranks, so they are never parted. #}
{% macro fifth_of(ranking, members) -%}
    cast(floor({{ ratio('5 * (' ~ ranking ~ ' - 1)', members) }}) as integer) + 1
{%- endmacro %}

{# Mean days between a person's days of purchase; `of` names the table, with a dot, where columns must say it. #}
{% macro mean_interval_days(of='') -%}
    {{ ratio(days_from(of ~ 'first_order_date', of ~ 'last_order_date'), of ~ 'order_days_to_date - 1') }}
{%- endmacro %}

{# The trend last decided for each person before the months that are made anew; empty where all are. #}
{% macro trends_before_restated_months() -%}
    {%- if is_incremental() -%}
select mastered_customer_key, max_by(trend, month_start_date) as trend
from {{ this }}
where not {{ in_restated_months('month_start_date') }}
group by mastered_customer_key
    {%- else -%}
select cast(null as bigint) as mastered_customer_key, cast(null as string) as trend
where false
    {%- endif -%}
{%- endmacro %}

{#
  What a month decides about a trend, and the month, as one number, so that a running maximum remembers the last
  decision. Between the bounds nothing is decided: a person at a bound does not change from month to month.
#}
{% macro decided_trend() -%}
    {%- set rules = customer_rules() -%}
    10 * (12 * year(month_start_date) + month(month_start_date))
    + case
        when is_open or not {{ in_restated_months('month_start_date') }} then null
        when net_sales_3_months < net_sales_3_months_before * {{ rules.falling_below }} then 1
        when net_sales_3_months <= 0 then null
        when net_sales_3_months >= net_sales_3_months_before * {{ rules.rising_from }} then 2
        when
            net_sales_3_months >= net_sales_3_months_before * {{ rules.steady_from }}
            and net_sales_3_months <= net_sales_3_months_before * {{ rules.steady_to }} then 3
    end
{%- endmacro %}

{% macro trend_of(decided) -%}
    case {{ decided }} % 10 when 1 then 'falling' when 2 then 'rising' when 3 then 'steady' end
{%- endmacro %}

{# A measure of a person's activity from a month on; NULL where it was not measured, 0 where nothing happened. #}
{% macro sum_since(measure, since, type) -%}
    cast(
        case
            when count({{ measure }}) > 0
                then sum(case when activity.month_start_date >= {{ since }} then {{ measure }} else 0 end)
        end as {{ type }}
    )
{%- endmacro %}

{# `<column>_before`: what the person's row of the month before says. #}
{% macro values_before(columns) -%}
    {%- for column in columns %}
        lag({{ column }}) over (
            partition by mastered_customer_key order by month_start_date nulls last
        ) as {{ column }}_before
        {{- "," if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Whether a person's month is the first, or tells something else than the one before. #}
{% macro differs_from_before(columns) -%}
    month_start_date_before is null
    {%- for column in columns %}
    or {{ column }} is distinct from {{ column }}_before
    {%- endfor %}
{%- endmacro %}

{# `part` of `whole`, as a double; NULL where there is no whole. #}
{% macro ratio(part, whole) -%}
    cast(cast({{ part }} as double) / nullif({{ whole }}, 0) as double)
{%- endmacro %}

{# A measure's share of its month's. #}
{% macro share_of_month(measure) -%}
    {{ ratio(measure, 'sum(' ~ measure ~ ') over (partition by month_start_date)') }}
{%- endmacro %}

{# Value today against growth, two by two: whom to keep, whom to develop, whom to win back, whom to serve cheaply. #}
{% macro value_matrix(alias) -%}
    {%- set is_valuable = alias ~ '.pyramid_tier <= ' ~ customer_rules().high_value_tier -%}
    {%- set is_growing = 'coalesce(' ~ alias ~ ".trend, 'rising') <> 'falling' and " ~ alias ~ ".state <> 'lost'" -%}
    case
        when {{ alias }}.pyramid_tier is null then null
        when {{ is_valuable }} and {{ is_growing }} then 'most valuable'
        when {{ is_valuable }} then 'valuable in decline'
        when {{ is_growing }} and {{ alias }}.trend = 'rising' then 'most growable'
        when {{ is_growing }} then 'steady small'
        else 'small in decline'
    end
{%- endmacro %}
