-- Changes of resellers: organisations that are customers. Their keys are a list of their own, hence the prefix.
-- One row per landed change, of the reseller or of the place it is in.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    'reseller-' || cast(resellerkey as string) as customer_id,
    'organisation' as customer_type,
    'customer' as status,
    businesstype as occupation,
    city,
    stateprovincename as region,
    englishcountryregionname as country,
    reselleralternatekey as account_number,
    _phone_key as phone_key
from
    {{ with_lookup(
        landed('adventureworks', 'resellers'), 'resellerkey',
        ['resellerkey', 'reselleralternatekey', 'businesstype', '_phone_key'],
        'adventureworks', 'geography', 'geographykey', ['city', 'stateprovincename', 'englishcountryregionname'],
        on='geographykey',
    ) }} as resellers
