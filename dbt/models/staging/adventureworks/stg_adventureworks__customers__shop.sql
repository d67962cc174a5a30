-- Changes of persons who bought in the web shop, without their personal data.
-- One row per landed change, of the person or of the place the person lives in.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(customerkey as string) as customer_id,
    'person' as customer_type,
    'customer' as status,
    gender,
    {{ marital_status('maritalstatus') }} as marital_status,
    {{ income_band('yearlyincome') }} as income_band,
    englisheducation as education,
    englishoccupation as occupation,
    {{ children_band('totalchildren') }} as children,
    case houseownerflag when '1' then 'Homeowner' when '0' then 'Renter' end as home_owner,
    city,
    stateprovincename as region,
    englishcountryregionname as country,
    datefirstpurchase as first_seen_date,
    customeralternatekey as account_number,
    _email_key as email_key,
    _phone_key as phone_key
from
    {{ with_lookup(
        landed('adventureworks', 'customers'), 'customerkey',
        [
            'customerkey', 'customeralternatekey', 'gender', 'maritalstatus', 'yearlyincome', 'englisheducation',
            'englishoccupation', 'totalchildren', 'houseownerflag', 'datefirstpurchase', '_email_key', '_phone_key',
        ],
        'adventureworks', 'geography', 'geographykey', ['city', 'stateprovincename', 'englishcountryregionname'],
        on='geographykey',
    ) }} as customers
