-- Lines of orders in the web shop.
-- One row per landed line. The discount is what lies between the two amounts: DiscountAmount is a binary double that
-- differs from it by 0.0001 in 378 lines of resellers. Only days are known, no times.
select
    lines._system as source_system, lines._feed as source_feed, lines._load_id as load_id, lines._row as load_row,
    lines._op as op,
    lines.salesordernumber as order_id,
    cast(lines.salesorderlinenumber as bigint) as line_no,
    lines._business_date as order_date,
    cast(lines.customerkey as string) as customer_id,
    'online' as channel,
    products.productalternatekey as product_id,
    cast(lines.orderquantity as bigint) as quantity,
    lines.unitprice as unit_price,
    lines.extendedamount as gross,
    cast(lines.extendedamount - lines.salesamount as decimal(19, 4)) as discount_retail,
    cast(0 as decimal(19, 4)) as discount_coupon,
    cast(0 as decimal(19, 4)) as discount_match,
    lines.salesamount as net,
    lines.totalproductcost as cost,
    -- number 1 stands for no promotion
    cast(nullif(lines.promotionkey, 1) as string) as promotion_id,
    currencies.currencyalternatekey as transaction_currency,
    'USD' as reporting_currency
from {{ landed('adventureworks', 'internet_sales') }} as lines
left join {{ lookup('adventureworks', 'products', 'productkey') }} as products
    on {{ known_to('lines', 'products', 'productkey') }}
left join {{ lookup('adventureworks', 'currencies', 'currencykey') }} as currencies
    on {{ known_to('lines', 'currencies', 'currencykey') }}
