-- Changes of the CRM's accounts, without their personal data. A row with a store is an organisation, also where it
-- names a person to talk to. The CRM numbers persons and shops alike; by that number it keeps e-mail addresses and
-- telephone numbers apart, so that is the customer's id. An account has a number of its own.
-- One row per landed change, of the account or of what is kept apart.
with
addressed as (
    select *
    from
        {{ with_lookup(
            landed('adventureworks', 'crm_customers'), 'customerid',
            ['customerid', 'personid', 'storeid', 'accountnumber'],
            'adventureworks', 'crm_email_addresses', 'businessentityid', ['_email_key'], on='personid',
        ) }} as registered
)

select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(coalesce(personid, storeid) as string) as customer_id,
    case when storeid is null then 'person' else 'organisation' end as customer_type,
    accountnumber as account_number,
    _email_key as email_key,
    _phone_key as phone_key
from
    {{ with_lookup(
        'addressed', 'customerid', ['personid', 'storeid', 'accountnumber', '_email_key'],
        'adventureworks', 'crm_phones', 'businessentityid', ['_phone_key'], on='personid',
    ) }} as registered
