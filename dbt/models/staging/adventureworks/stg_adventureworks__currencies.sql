-- Changes of currencies.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    currencyalternatekey as currency_code,
    currencyname as currency_name
from {{ landed('adventureworks', 'currencies') }} as currencies
