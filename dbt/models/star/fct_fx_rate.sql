-- One row per source system, day and pair of currencies: what one unit of a currency is worth in another.
-- Not additive: rate, closing_rate. A late rate is appended under its own date; a rate that comes again with another
-- value does not land. Sorted by day, as landing is.
{{ config(materialized='incremental', incremental_strategy='append') }}

with
rates as (
    select *
    from {{ ref('fx_rates') }}
    where {{ in_this_load() }}
)

select
    rates.rate_date,
    {{ date_key('rates.rate_date') }} as rate_date_key,
    rates.source_system, rates.from_currency, rates.to_currency,
    coalesce(sold.currency_key, {{ unknown_key() }}) as from_currency_key,
    coalesce(bought.currency_key, {{ unknown_key() }}) as to_currency_key,
    coalesce(batches.audit_key, {{ unknown_key() }}) as audit_key,
    rates.rate, rates.closing_rate
from rates
left join {{ ref('dim_currency') }} as sold on rates.from_currency = sold.currency_code
left join {{ ref('dim_currency') }} as bought on rates.to_currency = bought.currency_code
left join {{ ref('dim_audit') }} as batches
    on rates.load_id = batches.load_id
    and rates.source_feed = batches.source_feed
