-- One row per order line, the finest grain sold.
-- Additive: quantity, gross_amount, discount_*_amount, net_amount, cost_amount. Not: unit_price, exchange_rate.
-- Amounts are in the source's reporting currency; in the currency the customer paid in they are amount / exchange_rate.
-- A late line is appended under its own date; a line before its customer or product points to an inferred member. A
-- newer version of a line takes the place of the older one, on whatever day that lies.
-- A line whose source gives no cost has that of its product then: quantity x standard_cost, NULL where it is not known.
-- A change of a member's past re-points the lines it concerns. Sorted by order date, as landing is.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_superseded('order_lines', ['order_id', 'line_no'], 'order_date') }}",
    post_hook=[
        "{{ repoint('customer', 'customers', 'order_date', ['customer_key', 'customer_profile_key']) }}",
        "{{ repoint(
            'product', 'products', 'order_date', ['product_key'],
            computed={
                'cost_amount': 'case when fact.is_standard_cost'
                ~ ' then cast(fact.quantity * version.standard_cost as decimal(19, 4)) else fact.cost_amount end'
            },
        ) }}",
        "{{ repoint('campaign', 'campaigns', 'order_date', ['campaign_key']) }}",
    ],
) }}

with
lines as (
    {{ applied_rows('order_lines', ['order_id', 'line_no'], whole=not is_incremental()) }}
)

select
    lines.order_id,
    lines.line_no,
    lines.order_date,
    {{ date_key('lines.order_date') }} as order_date_key,
    coalesce({{ minute_of_day('lines.ordered_at_local') }}, {{ unknown_key() }}) as time_of_day_key,
    lines.ordered_at,
    coalesce(customers.customer_key, {{ unknown_key() }}) as customer_key,
    coalesce(customers.customer_durable_key, {{ unknown_key() }}) as customer_durable_key,
    coalesce(customers.customer_profile_key, {{ unknown_key() }}) as customer_profile_key,
    coalesce(products.product_key, {{ unknown_key() }}) as product_key,
    coalesce(products.product_durable_key, {{ unknown_key() }}) as product_durable_key,
    coalesce(stores.store_key, {{ unknown_key() }}) as store_key,
    coalesce(channels.channel_key, {{ unknown_key() }}) as channel_key,
    case
        when lines.promotion_id is null then {{ not_applicable_key() }}
        else coalesce(campaigns.campaign_key, {{ unknown_key() }})
    end as campaign_key,
    case
        when lines.promotion_id is null then {{ not_applicable_key() }}
        else coalesce(campaigns.campaign_durable_key, {{ unknown_key() }})
    end as campaign_durable_key,
    case
        when lines.transaction_currency is null then {{ not_applicable_key() }}
        else coalesce(currencies.currency_key, {{ unknown_key() }})
    end as currency_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    lines.quantity,
    lines.unit_price,
    lines.gross as gross_amount,
    lines.discount_retail as discount_retail_amount,
    lines.discount_match as discount_match_amount,
    lines.discount_coupon as discount_coupon_amount,
    lines.net as net_amount,
    coalesce(lines.cost, cast(lines.quantity * products.standard_cost as decimal(19, 4))) as cost_amount,
    lines.cost is null as is_standard_cost,
    case
        when lines.transaction_currency is null or lines.transaction_currency = lines.reporting_currency then 1
        else coalesce(lines.exchange_rate, rates.rate)
    end as exchange_rate
from lines
left join {{ ref('dim_customer') }} as customers
    on lines.source_system = customers.source_system
    and lines.customer_id = customers.customer_id
    and lines.order_date >= customers.valid_from
    and lines.order_date < customers.valid_to
left join {{ ref('dim_product') }} as products
    on lines.source_system = products.source_system
    and lines.product_id = products.product_id
    and lines.order_date >= products.valid_from
    and lines.order_date < products.valid_to
left join {{ ref('dim_store') }} as stores
    on lines.source_system = stores.source_system
    and lines.store_id = stores.store_id
left join {{ ref('dim_channel') }} as channels on lines.channel = channels.channel_code
left join {{ ref('dim_campaign') }} as campaigns
    on lines.source_system = campaigns.source_system
    and lines.promotion_id = campaigns.campaign_id
    and lines.order_date >= campaigns.valid_from
    and lines.order_date < campaigns.valid_to
left join {{ ref('dim_currency') }} as currencies on lines.transaction_currency = currencies.currency_code
left join {{ ref('fct_fx_rate') }} as rates
    on lines.source_system = rates.source_system
    and lines.order_date = rates.rate_date
    and lines.transaction_currency = rates.from_currency
    and lines.reporting_currency = rates.to_currency
left join {{ ref('dim_audit') }} as batches
    on lines.load_id = batches.load_id
    and lines.source_feed = batches.source_feed
