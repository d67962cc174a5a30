{# What campaigns are measured by: which ones a load touches, of whom the effect is told, and intervals in plain SQL. #}

{#
  Campaigns to compute anew tonight: a subquery of their keys, or all of them when a mart is built from scratch. Those
  not yet measured; still running; with new contacts, redemptions or another cost; described, linked or bought in anew.
  `newest` is a CTE with each system's newest order. Asked for before any condition, so that dbt sees the edges.
#}
{% macro touched_campaigns() -%}
    {%- set held = built_table('mart', 'mart_campaign') -%}
    {%- set held_people = built_table('mart', 'mart_campaign_person') -%}
    {%- set months = sales_months() -%}
    {%- set contacts = ref('campaign_contacts_of_people') -%}
    {%- set redemptions = ref('redemptions_of_people') -%}
    {%- set facts = [ref('fct_campaign_contact'), ref('fct_coupon_redemption')] -%}
    {%- set batches = ref('dim_audit') -%}
    {%- set costs = ref('fct_campaign_cost') -%}
    {%- set campaigns = ref('dim_campaign') -%}
    {%- set customers = ref('changed_customers') -%}
    {%- set described = ref('changed_campaigns') -%}
    {%- set whole = rebuilt('mart_campaign') or rebuilt('mart_campaign_person') or rebuilt('mart_campaign_effect') -%}
    {%- if whole or held is none or held_people is none -%}
    select campaign_durable_key from {{ campaigns }} where is_current and campaign_durable_key > 0
    {%- else -%}
    select campaigns.campaign_durable_key
    from {{ campaigns }} as campaigns
    left join {{ held }} as held on campaigns.campaign_durable_key = held.campaign_durable_key
    left join (
        select campaign_durable_key, sum(cost_amount) as cost from {{ costs }} group by campaign_durable_key
    ) as costs
        on campaigns.campaign_durable_key = costs.campaign_durable_key
    left join newest on campaigns.source_system = newest.source_system
    where
        campaigns.is_current
        and campaigns.campaign_durable_key > 0
        and (
            held.campaign_durable_key is null
            or held.cost is distinct from costs.cost
            or not held.is_complete
            or not coalesce(newest.order_date > held.window_end, true)
            {%- for month in months %}
            or (
                {{ add_days('held.compare_from', -6) }} < {{ add_months("date '" ~ month ~ "'", 1) }}
                and held.window_end >= date '{{ month }}'
            )
            {%- endfor %}
        )
    union
    select campaign_durable_key from {{ described }}
    {%- for fact in facts %}
    union
    select fact.campaign_durable_key
    from {{ fact }} as fact
    inner join {{ batches }} as batches on fact.audit_key = batches.audit_key
    where {{ in_batch('batches.load_id') }}
    {%- endfor %}
    union
    select fact.campaign_durable_key
    from {{ contacts }} as fact
    inner join {{ customers }} as customers on fact.customer_durable_key = customers.customer_durable_key
    {#- who is another person by today's links #}
    {%- for ours, theirs in [(held_people, 'now'), ('now', held_people)] %}
    union
    select ours.campaign_durable_key
    from {{ people_of_campaigns(contacts, redemptions) if ours == 'now' else ours }} as ours
    left join {{ people_of_campaigns(contacts, redemptions) if theirs == 'now' else theirs }} as theirs
        on ours.campaign_durable_key = theirs.campaign_durable_key
        and ours.mastered_customer_key = theirs.mastered_customer_key
    where theirs.campaign_durable_key is null
    {%- endfor %}
    {%- endif -%}
{%- endmacro %}

{# Whom a campaign has to do with: those chosen for it and those who handed in a coupon of it. #}
{% macro people_of_campaigns(contacts, redemptions) -%}
(
    select campaign_durable_key, mastered_customer_key
    from {{ contacts }}
    where campaign_durable_key > 0 and mastered_customer_key > 0
    union
    select campaign_durable_key, mastered_customer_key
    from {{ redemptions }}
    where campaign_durable_key > 0 and mastered_customer_key > 0
)
{%- endmacro %}

{# Pre-hook of a mart by campaign: takes out the campaigns that tonight computes anew. #}
{% macro forget_campaigns() %}
    {%- set campaigns = ref('measured_campaigns') -%}
    {%- if is_incremental() -%}
{{ delete_rows(this, 'campaign_durable_key in (select campaign_durable_key from ' ~ campaigns ~ ')') }}
    {%- endif -%}
{% endmacro %}

{# Attributes of a customer by which the effect of a campaign is told. #}
{% macro segment_kinds() %}
    {{ return([
        'age_band', 'income_band', 'household_size', 'household_composition', 'children', 'gender', 'marital_status',
        'education', 'occupation', 'home_owner', 'customer_type', 'status', 'acquisition_source', 'relationship_type',
        'region', 'country',
    ]) }}
{% endmacro %}

{# How many segments of one kind are told apart, and how many pairs name=value a contact may carry. #}
{% macro most_segments() %}50{% endmacro %}
{% macro most_told_segments() %}8{% endmacro %}

{% macro campaign_outcomes() %}{{ return(['visits', 'conversion', 'spend', 'margin']) }}{% endmacro %}

{# Which comparisons need a bootstrap, and have people enough for one. #}
{% macro is_resampled() -%}
    least(treated_people, comparison_people) < people_needed and least(treated_people, comparison_people) >= 50
{%- endmacro %}
