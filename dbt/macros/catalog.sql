{#
  The metric dictionary as rows of cube.catalog: what a BI tool reads to learn what is there, and (`definition`) all that
  is needed to answer from it. So a release carries the dictionary its tables were built with.
#}

{% macro catalog_rows() -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for declared in graph.semantic_models.values() | sort(attribute='name') -%}
            {%- if declared.measures -%}
                {%- do rows.extend(subject_rows(declared)) -%}
                {%- do rows.append(source_row(declared)) -%}
                {%- do rows.extend(customer_metric_rows(declared)) -%}
                {%- do rows.extend(policy_rows(declared)) -%}
            {%- else -%}
                {%- do rows.append(dimension_row(declared)) -%}
                {%- do rows.extend(level_rows(declared)) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for metric in graph.metrics.values() | sort(attribute='name') -%}
            {%- do rows.append(metric_row(metric)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(rows) }}
{%- endmacro %}

{% macro published_name(node_relation) -%}
    {{ return(node_relation.schema_name ~ '.' ~ node_relation.alias) }}
{%- endmacro %}

{% macro source_row(declared) -%}
    {%- set measures = {} -%}
    {%- for measure in declared.measures -%}
        {%- do check_measure(measure, declared) -%}
        {%- do measures.update({measure.name: {
            'agg': measure.agg, 'expr': measure.expr | string, 'type': measure.config.meta.data_type,
            'unit': measure.config.meta.unit, 'description': measure.description,
        }}) -%}
    {%- endfor -%}
    {%- set entities = {} -%}
    {%- for entity in declared.entities if entity.type == 'foreign' -%}
        {%- do entities.update({entity.name: entity.expr}) -%}
    {%- endfor -%}
    {%- set meta = declared.config.meta -%}
    {{ return({
        'kind': 'source', 'name': declared.name, 'subject': meta.subject, 'label': declared.label,
        'description': declared.description,
        'definition': {
            'table': published_name(declared.node_relation),
            'fact': meta.fact if '.' in meta.fact else 'star.' ~ meta.fact,
            'day': declared.dimensions[0].expr, 'entities': entities, 'measures': measures,
            'people': meta.get('people'), 'rollups': rollups_of(declared), 'snapshots': meta.get('snapshots'),
        },
    }) }}
{%- endmacro %}

{# Rollups a source declares, and each grain of those that hold several. #}
{% macro rollups_of(declared) -%}
    {%- set found = [] -%}
    {%- set summed = summed_measures(declared.name).keys() | list -%}
    {%- set grains = {'sales_month_grains': sales_month_grains(), 'sales_grains': sales_grains()} -%}
    {%- for name, rollup in declared.config.meta.get('rollups', {}).items() -%}
        {%- if name in grains -%}
            {%- for grain, about in grains[name].items() -%}
                {%- set levels = {} -%}
                {%- for column, level in sales_dimensions().items() if column in about.by -%}
                    {%- do levels.update({level: column}) -%}
                {%- endfor -%}
                {%- do found.append({
                    'name': 'sales_by_' ~ grain if grain != 'total' else 'sales_total', 'table': 'cube.' ~ name,
                    'grain': grain, 'period': about.period, 'day': 'period_start_date', 'levels': levels,
                    'keys': {'store': 'store_key'} if 'store_id' in about.by else {},
                    'summed': summed, 'counted': {}, 'exact': counts_of(about),
                }) -%}
            {%- endfor -%}
        {%- else -%}
            {%- do found.append({
                'name': name, 'table': 'cube.' ~ name, 'grain': none, 'period': rollup.get('period', 'day'),
                'day': rollup.day, 'levels': rollup.levels, 'keys': rollup.get('keys', {}), 'summed': summed,
                'counted': rollup.get('counted', {}), 'exact': [],
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro level_name(dimension) -%}
    {{ return(dimension.config.meta.get('level', dimension.name)) }}
{%- endmacro %}

{% macro dimension_row(declared) -%}
    {%- set levels = {} -%}
    {%- for dimension in declared.dimensions -%}
        {%- do levels.update({level_name(dimension): dimension.expr}) -%}
    {%- endfor -%}
    {{ return({
        'kind': 'dimension', 'name': declared.entities[0].name, 'label': declared.label,
        'description': declared.description,
        'definition': {
            'table': published_name(declared.node_relation), 'key': declared.entities[0].expr,
            'levels': levels, 'hierarchies': declared.config.meta.hierarchies,
        },
    }) }}
{%- endmacro %}

{% macro level_rows(declared) -%}
    {%- set rows = [] -%}
    {%- set columns = graph.nodes[declared.depends_on.nodes[0]].columns -%}
    {%- for dimension in declared.dimensions -%}
        {%- do rows.append({
            'kind': 'level', 'name': declared.entities[0].name ~ '.' ~ level_name(dimension),
            'label': level_name(dimension) | replace('_', ' ') | capitalize, 'description': dimension.description,
            'data_type': columns[dimension.expr].data_type,
        }) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{% macro subject_rows(declared) -%}
    {%- set rows = [] -%}
    {%- for name, about in declared.config.meta.get('subjects', {}).items() -%}
        {%- do rows.append({
            'kind': 'subject', 'name': name, 'subject': name, 'label': about.label, 'description': about.description,
            'definition': about.defaults,
        }) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{# What customers did from period to period, which MetricFlow has no type for. #}
{% macro customer_metric_rows(declared) -%}
    {%- set rows = [] -%}
    {%- for metric in declared.config.meta.get('customer_metrics', []) -%}
        {%- do rows.append({
            'kind': 'metric', 'name': metric.name, 'subject': 'customer_base', 'label': metric.label,
            'description': metric.description, 'unit': metric.get('unit', 'count'), 'source': metric.source,
            'definition': metric.definition,
        }) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{# What roles are held to. #}
{% macro policy_rows(declared) -%}
    {%- set rows = [] -%}
    {%- for policy in declared.config.meta.get('policies', []) -%}
        {%- do rows.append({
            'kind': 'policy', 'name': policy.name, 'label': policy.name | replace('_', ' ') | capitalize,
            'description': policy.description,
            'definition': {'where': policy.get('where', ''), 'min_customers': policy.get('min_customers', 0)},
        }) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{% macro metric_row(metric) -%}
    {%- set given = metric.type_params -%}
    {%- do check_metric(metric) -%}
    {%- set definition = {'type': metric.type} -%}
    {%- if metric.type == 'simple' -%}
        {%- do definition.update({'measure': given.measure.name}) -%}
    {%- elif metric.type == 'ratio' -%}
        {%- do definition.update({'numerator': given.numerator.name, 'denominator': given.denominator.name}) -%}
    {%- elif metric.type == 'derived' -%}
        {%- do definition.update({'expr': given.expr, 'metrics': given.metrics | map(attribute='name') | list}) -%}
    {%- elif metric.type == 'cumulative' -%}
        {%- do definition.update({
            'measure': given.measure.name, 'window': given.cumulative_type_params.window,
            'grain_to_date': given.cumulative_type_params.grain_to_date,
        }) -%}
    {%- elif metric.type == 'conversion' -%}
        {%- set conversion = given.conversion_type_params -%}
        {%- do definition.update({
            'measures': [conversion.base_measure.name], 'base': conversion.base_measure.name, 'conversion': conversion.conversion_measure.name,
            'entity': conversion.entity, 'window': conversion.window,
        }) -%}
    {%- endif -%}
    {%- set meta = metric.config.meta -%}
    {{ return({
        'kind': 'metric', 'name': metric.name, 'subject': meta.subject, 'label': metric.label,
        'description': metric.description, 'unit': meta.unit, 'source': meta.source, 'definition': definition,
    }) }}
{%- endmacro %}

{# A text as SQL reads it on either engine. #}
{% macro catalog_literal(value) -%}
    {%- if value is none or value is undefined or value == '' -%} cast(null as {{ sql_type('varchar') }})
    {%- else -%}
        {%- set text = (value if value is string else tojson(value, sort_keys=true)) | trim -%}
        {%- if '\\' in text -%}
            {{ exceptions.raise_compiler_error('no backslash or double quote in the metric dictionary: ' ~ text) }}
        {%- endif -%}
        '{{ text | replace("'", "''") }}'
    {%- endif -%}
{%- endmacro %}
