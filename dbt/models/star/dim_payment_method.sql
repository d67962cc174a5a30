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
where
    not exists (
        select 1
        from {{ this }} as held
        where held.payment_method_key = keyed.payment_method_key
    )
{%- endif %}
{{ with_special_members() }}
