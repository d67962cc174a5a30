-- Changes of prospects, without their personal data. Their keys are a list of their own, hence the prefix.
-- One row per landed change. The list cuts texts after ten characters; those of education are made whole again.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    'prospect-' || cast(prospectivebuyerkey as string) as customer_id,
    'person' as customer_type,
    'prospect' as status,
    gender,
    {{ marital_status('maritalstatus') }} as marital_status,
    {{ income_band('yearlyincome') }} as income_band,
    case education
        when 'Graduate D' then 'Graduate Degree'
        when 'High Schoo' then 'High School'
        when 'Partial Co' then 'Partial College'
        when 'Partial Hi' then 'Partial High School'
        else education
    end as education,
    occupation,
    {{ children_band('totalchildren') }} as children,
    case houseownerflag when '1' then 'Homeowner' when '0' then 'Renter' end as home_owner,
    city,
    stateprovincecode as region,
    'bought list' as acquisition_source,
    _email_key as email_key,
    _phone_key as phone_key
from {{ landed('adventureworks', 'prospects') }} as prospects
