-- Changes of the product list.
-- One row per landed change.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op, _effective_from as effective_from,
    cast(product_id as string) as product_id,
    department,
    product_category as category,
    product_type,
    brand,
    cast(manufacturer_id as string) as manufacturer,
    package_size as pack
from {{ landed('complete_journey', 'products') }} as landed
