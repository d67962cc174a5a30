{# The bands customers are described in, for sources that give figures or codes. One set for all sources, or profiles split. #}

{% macro income_band(income) -%}
    case
        when {{ income }} < 15000 then 'Under 15K'
        when {{ income }} < 25000 then '15-24K'
        when {{ income }} < 35000 then '25-34K'
        when {{ income }} < 50000 then '35-49K'
        when {{ income }} < 75000 then '50-74K'
        when {{ income }} < 100000 then '75-99K'
        when {{ income }} < 125000 then '100-124K'
        when {{ income }} < 150000 then '125-149K'
        when {{ income }} < 175000 then '150-174K'
        when {{ income }} < 200000 then '175-199K'
        when {{ income }} < 250000 then '200-249K'
        when {{ income }} >= 250000 then '250K+'
    end
{%- endmacro %}

{% macro children_band(children) -%}
    case when {{ children }} >= 3 then '3+' else cast({{ children }} as string) end
{%- endmacro %}

{% macro marital_status(code) -%}
    case {{ code }} when 'M' then 'Married' when 'S' then 'Unmarried' end
{%- endmacro %}
