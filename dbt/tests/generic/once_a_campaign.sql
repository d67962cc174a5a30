{# The columns identify a row of a mart by campaign, among the campaigns that tonight computed anew. #}
{% test once_a_campaign(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
where campaign_durable_key in (select campaign_durable_key from {{ ref('measured_campaigns') }})
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
