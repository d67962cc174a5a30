-- One row per coupon handed in. Factless: counting rows is the measure.
-- Additive: the count of rows. Products only through bridge_coupon_product, by weight, or they count repeatedly.
-- Complete Journey gives redemptions no id, and twins are legitimate: redemption_no tells them apart, in the order they
-- landed. A late redemption is appended under its own date.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    post_hook=[
        "{{ repoint('customer', 'customers', 'redeemed_date', ['customer_key', 'customer_profile_key']) }}",
        "{{ repoint('campaign', 'campaigns', 'redeemed_date', ['campaign_key']) }}",
    ],
) }}

with
redemptions as (
    select *
    from {{ ref('coupon_redemptions') }}
    where {{ in_this_load() }}
),

keyed as (
    select
        redemptions.redeemed_date,
        redemptions.redemption_id,
        redemptions.order_id,
        redemptions.redeemed_at,
        redemptions.load_id,
        redemptions.load_row,
        coalesce(coupons.coupon_key, {{ unknown_key() }}) as coupon_key,
        coalesce(campaigns.campaign_key, {{ unknown_key() }}) as campaign_key,
        coalesce(campaigns.campaign_durable_key, {{ unknown_key() }}) as campaign_durable_key,
        coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
        coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
        coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
        coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key
    from redemptions
    left join {{ ref('dim_coupon') }} as coupons
        on redemptions.source_system = coupons.source_system
        and redemptions.coupon_id = coupons.coupon_id
        and redemptions.campaign_id = coupons.campaign_id
    left join {{ ref('dim_campaign') }} as campaigns
        on redemptions.source_system = campaigns.source_system
        and redemptions.campaign_id = campaigns.campaign_id
        and redemptions.redeemed_date >= campaigns.valid_from
        and redemptions.redeemed_date < campaigns.valid_to
    left join {{ ref('dim_customer') }} as customers
        on redemptions.source_system = customers.source_system
        and redemptions.customer_id = customers.customer_id
        and redemptions.redeemed_date >= customers.valid_from
        and redemptions.redeemed_date < customers.valid_to
    left join {{ ref('dim_audit') }} as batches
        on redemptions.load_id = batches.load_id
        and redemptions.source_feed = batches.source_feed
),

earlier as (
    {%- if is_incremental() %}
    select redeemed_date, coupon_key, customer_durable_key, count(*) as redemption_count
    from {{ this }}
    where {{ touched_dates('coupon_redemptions', 'redeemed_date', this.identifier) }}
    group by redeemed_date, coupon_key, customer_durable_key
    {%- else %}
    select redeemed_date, coupon_key, customer_durable_key, 0 as redemption_count
    from keyed
    where false
    {%- endif %}
)

select
    keyed.redeemed_date,
    {{ date_key('keyed.redeemed_date') }} as redeemed_date_key,
    keyed.coupon_key, keyed.campaign_key, keyed.campaign_durable_key,
    keyed.customer_key, keyed.customer_durable_key, keyed.customer_profile_key, keyed.audit_key,
    cast(
        row_number() over (
            partition by keyed.redeemed_date, keyed.coupon_key, keyed.customer_durable_key
            order by keyed.load_id, keyed.load_row
        ) + coalesce(earlier.redemption_count, 0) as integer
    ) as redemption_no,
    keyed.redemption_id, keyed.order_id, keyed.redeemed_at
from keyed
left join earlier
    on keyed.redeemed_date = earlier.redeemed_date
    and keyed.coupon_key = earlier.coupon_key
    and keyed.customer_durable_key = earlier.customer_durable_key
order by keyed.redeemed_date, keyed.load_id, keyed.load_row
