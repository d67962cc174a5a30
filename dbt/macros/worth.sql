{#
  Fitted models of customers' worth, as `clientele fit` landed them (variable `fit`: table -> file). A build reads them
  and never fits; where there is no fit yet the tables are empty, and customers are told by the rule of thumb.
#}
{% macro fitted(table, columns) -%}
    {%- set file = var('fit', {}).get(table) -%}
    select
    {%- for column, type in columns.items() %}
        cast({{ column if file else 'null' }} as {{ sql_type(type) }}) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
    {% if file -%} from {{ parquet_files([file]) }} {%- else -%} where false {%- endif %}
{%- endmacro %}

{# The model's own columns of a fitted table, typed as its contract says. #}
{% macro fitted_as_declared(table) -%}
    {%- set columns = {} -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.update({column.name: column.data_type}) -%}
    {%- endfor -%}
    {{ fitted(table, columns) }}
{%- endmacro %}

{# Customer equity as the fits that landed recorded it, oldest first; nothing before the first fit. #}
{% macro told_equity() -%}
    {%- set columns = {
        'parted_by': 'varchar', 'part': 'varchar', 'as_of_date': 'date', 'told_by': 'varchar', 'customers': 'bigint',
        'historic_value': 'decimal(19, 4)', 'expected_present_value': 'decimal(19, 4)', 'mean_p_alive': 'double',
        'artefact_id': 'varchar',
    } -%}
    {%- set files = var('equity', []) -%}
    select
    {%- for column, type in columns.items() %}
        cast({{ column if files else 'null' }} as {{ sql_type(type) }}) as {{ column }}{{ "," if not loop.last }}
    {%- endfor %}
    {% if files -%} from {{ parquet_files(files) }} {%- else -%} where false {%- endif %}
{%- endmacro %}

{# A month in days, as the fits have it. #}
{% macro month_days() %}30.4375{% endmacro %}

{# What money is worth `months` earlier, at a yearly rate. #}
{% macro discounted(amount, rate, months) -%}
    cast(cast({{ amount }} as double) * power(1 + {{ rate }}, {{ ratio('-1 * ' ~ months, 12) }}) as double)
{%- endmacro %}

{#
  Months' worths over a horizon, added up: one purchase a month, each discounted to today (a geometric series), so what
  one a month is worth. A rate of 0 counts the months.
#}
{% macro annuity(rate, months) -%}
    case
        when {{ rate }} = 0 then cast({{ months }} as double)
        else cast(
            (1 - power(1 + {{ rate }}, {{ ratio('-1 * ' ~ months, 12) }}))
            / nullif(power(1 + {{ rate }}, {{ ratio(1, 12) }}) - 1, 0) as double
        )
    end
{%- endmacro %}
