-- Exchange rates: US dollars for one unit of a currency, average and end of the day.
-- One row per landed rate. Doubles become decimals before any arithmetic.
select
    rates._system as source_system, rates._feed as source_feed, rates._load_id as load_id, rates._row as load_row,
    rates._op as op,
    rates._business_date as rate_date,
    currencies.currencyalternatekey as from_currency,
    'USD' as to_currency,
    cast(round(rates.averagerate, 12) as decimal(28, 12)) as rate,
    cast(round(rates.endofdayrate, 12) as decimal(28, 12)) as closing_rate
from {{ landed('adventureworks', 'currency_rates') }} as rates
left join {{ lookup('adventureworks', 'currencies', 'currencykey') }} as currencies
    on {{ known_to('rates', 'currencies', 'currencykey') }}
