-- Changes of products. The list keeps versions, each a row with a key of its own and the day it begins on.
-- One row per landed change of a version or of its category, effective on the day the version begins; a product's first
-- version is effective from the first day. A version ends where the next begins: EndDate lies before StartDate in 200
-- rows. Withdrawing a version that another has followed says nothing about the product.
with
subcategorised as (
    select *
    from
        {{ with_lookup(
            landed('adventureworks', 'products'), 'productkey',
            [
                'productkey', 'productalternatekey', 'englishproductname', 'modelname', 'size', 'class', 'standardcost',
                'listprice', 'startdate',
            ],
            'adventureworks', 'product_subcategories', 'productsubcategorykey',
            ['englishproductsubcategoryname', 'productcategorykey'], on='productsubcategorykey',
        ) }} as products
),

versions as (
    select
        categorised.*,
        min(categorised.startdate) over (partition by categorised.productalternatekey) as first_start,
        max(categorised.startdate) over (partition by categorised.productalternatekey) as last_start
    from
        {{ with_lookup(
            'subcategorised', 'productkey',
            [
                'productalternatekey', 'englishproductname', 'modelname', 'size', 'class', 'standardcost', 'listprice',
                'startdate', 'englishproductsubcategoryname',
            ],
            'adventureworks', 'product_categories', 'productcategorykey', ['englishproductcategoryname'],
            on='productcategorykey',
        ) }} as categorised
)

select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op,
    case
        when _op = 'delete' then _effective_from
        when startdate = first_start then {{ first_day() }}
        else cast(startdate as date)
    end as effective_from,
    productalternatekey as product_id,
    englishproductname as product_name,
    englishproductcategoryname as department,
    englishproductsubcategoryname as category,
    modelname as product_type,
    size as pack,
    case trim(class) when 'H' then 'high' when 'M' then 'medium' when 'L' then 'low' end as tier,
    standardcost as standard_cost,
    listprice as list_price
from versions
where _op <> 'delete' or startdate = last_start
