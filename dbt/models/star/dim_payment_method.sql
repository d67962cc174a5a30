-- One row per way of paying that occurs in payments (type 1), whatever the source: written alike is the same method.
-- Methods seen for the first time are added; none goes when its last payment does.
{{ config(materialized='incremental', incremental_strategy='append') }}

with
methods as (
    select distinct {{ normalised('payment_method') }} as payment_method
    from {{ ref('payments') }}
    where {{ in_this_load() }} and payment_method is not null
),

keyed as (
    select {{ hash_key(['payment_method']) }} as payment_method_key, payment_method
    from methods
)

select payment_method_key, payment_method
from keyed
{%- if is_incremental() %}
where payment_method_key not in (select held.payment_method_key from {{ this }} as held)
{%- endif %}
{{ with_special_members() }}
