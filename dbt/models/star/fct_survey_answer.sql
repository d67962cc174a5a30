-- One row per response and question of a survey.
-- Additive: the count of rows. Not additive: expected, perceived, score (average them). A late answer is appended under
-- its own date; a change of the customer's past re-points the answers it concerns.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    post_hook="{{ repoint('customer', 'customers', 'answered_date', ['customer_key', 'customer_profile_key']) }}",
) }}

with
answers as (
    select *
    from {{ ref('surveys') }}
    where {{ in_this_load() }}
)

select
    answers.answered_date,
    {{ date_key('answers.answered_date') }} as answered_date_key,
    answers.source_system, answers.response_id, answers.question_id,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    answers.order_id, answers.product_id, answers.category, answers.answer,
    answers.asked_at, answers.answered_at,
    answers.expected as expected_score, answers.perceived as perceived_score, answers.score
from answers
left join {{ ref('dim_customer') }} as customers
    on answers.source_system = customers.source_system
    and answers.customer_id = customers.customer_id
    and answers.answered_date >= customers.valid_from
    and answers.answered_date < customers.valid_to
left join {{ ref('dim_audit') }} as batches
    on answers.load_id = batches.load_id
    and answers.source_feed = batches.source_feed
