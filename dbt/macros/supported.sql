{# What the compiler of questions does not know must not be left out silently: the number would be another one. #}
{% macro check_measure(measure, declared) -%}
    {%- set name, over_time = 'measure ' ~ measure.name, measure.non_additive_dimension -%}
    {%- do supported(measure.agg in ['sum', 'count', 'count_distinct'], name,
        'aggregations are sum, count and count_distinct') -%}
    {%- do supported((over_time is none) == (not declared.config.meta.get('snapshots')), name,
        'all measures of a snapshot (meta: snapshots) have a non_additive_dimension, and none of events') -%}
    {%- if over_time -%}
        {%- do supported(
            over_time.name == declared.dimensions[0].name and over_time.window_choice == 'max'
            and not over_time.window_groupings, name,
            'over time the last snapshot of a period counts: window_choice: max, of the day, without window_groupings'
        ) -%}
    {%- endif -%}
{%- endmacro %}

{% macro check_metric(metric) -%}
    {%- set given, name = metric.type_params, 'metric ' ~ metric.name -%}
    {%- do supported(not metric.filter, name, 'put the filter into the expr of a measure: case when ... then ... end') -%}
    {%- for measure in given.input_measures or [] -%}
        {%- do supported(not measure.filter and measure.fill_nulls_with is none and not measure.join_to_timespine, name,
            'a measure is taken as it is: no filter, fill_nulls_with or join_to_timespine') -%}
    {%- endfor -%}
    {%- for input in (given.metrics or []) + [given.numerator, given.denominator] if input -%}
        {%- do supported(not (input.filter or input.alias or input.offset_window or input.offset_to_grain), name,
            'a metric is taken as it is: ask for variants (net_sales.previous_year) instead of offsets') -%}
    {%- endfor -%}
    {%- if metric.type == 'cumulative' -%}
        {%- set over = given.cumulative_type_params -%}
        {%- do supported(over.period_agg == 'last' and (over.window or over.grain_to_date), name,
            'a running total has a window or a grain_to_date, and period_agg: last') -%}
        {%- do supported(not over.window or over.window.granularity in ['day', 'week', 'month'], name,
            'a window is of days, weeks or months') -%}
    {%- elif metric.type == 'conversion' -%}
        {%- set over = given.conversion_type_params -%}
        {%- do supported(over.calculation == 'conversion_rate' and not over.constant_properties, name,
            'a conversion is a conversion_rate without constant_properties') -%}
        {%- do supported(over.window and over.window.granularity == 'day', name, 'its window is of days') -%}
    {%- endif -%}
{%- endmacro %}

{% macro supported(holds, name, what) -%}
    {%- if not holds -%}
        {%- do exceptions.raise_compiler_error(name ~ ' says what the cube does not know: ' ~ what) -%}
    {%- endif -%}
{%- endmacro %}
