-- One row per combination of display place in the store and place in the weekly mailer.
-- Known codes have small declared keys (display_no * 100 + mailer_no from the seeds): the 20.9M rows of
-- fct_promo_coverage pack them into 10 bits each, a hash would take 64.
-- A combination with a code not yet described is inferred, with a key above 1,000,000 hashed from its codes.
{{ config(materialized='incremental', incremental_strategy='append') }}

with
described as (
    select
        cast(displays.display_no * 100 + mailers.mailer_no as integer) as promo_vehicle_key,
        displays.source_system,
        displays.display_code, displays.display_location, displays.is_on_display,
        mailers.mailer_code, mailers.mailer_location, mailers.is_in_mailer
    from {{ ref('display_locations') }} as displays
    inner join {{ ref('mailer_locations') }} as mailers on displays.source_system = mailers.source_system
),

{{ unseen_members(['display_code', 'mailer_code'], ['promo_exposures'], 'described') }}
{%- if not is_incremental() %}

select
    promo_vehicle_key, source_system,
    display_code, display_location, is_on_display, mailer_code, mailer_location, is_in_mailer,
    false as is_inferred
from described
{{ with_special_members({'is_inferred': 'false'}) }}
union all
{%- endif %}

select
    cast(
        1000000 + {{ hash_key(['source_system', 'display_code', 'mailer_code']) }} % 1000000000 as integer
    ) as promo_vehicle_key,
    source_system,
    display_code,
    cast(null as string) as display_location,
    cast(null as boolean) as is_on_display,
    mailer_code,
    cast(null as string) as mailer_location,
    cast(null as boolean) as is_in_mailer,
    true as is_inferred
from unseen
