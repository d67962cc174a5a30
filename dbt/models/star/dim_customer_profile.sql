-- One row per combination of bands that occurs among customers: age, income, household size.
-- A mini-dimension: facts carry the profile the customer had then, so analyses by band need no span of time.
-- Read whole from dim_customer each load (a few hundred rows), so a profile nobody ever had does not linger.
select
    customer_profile_key,
    age_band, income_band, household_size,
    coalesce(age_band, '(unknown)') || ' / ' || coalesce(income_band, '(unknown)')
    || ' / ' || coalesce(household_size, '(unknown)') as profile
from {{ ref('dim_customer') }}
where customer_profile_key not in ({{ unknown_key() }}, {{ not_applicable_key() }})
group by customer_profile_key, age_band, income_band, household_size
{{ with_special_members() }}
