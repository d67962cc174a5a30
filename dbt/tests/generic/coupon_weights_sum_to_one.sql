{# A coupon's products share exactly 1, each product once, and both ends of the bridge exist. #}
{% test coupon_weights_sum_to_one(model) %}
select cast(coupon_key as string) as broken, 'weights' as rule
from {{ model }}
group by coupon_key
having sum(weight) <> 1 or count(*) <> count(distinct product_durable_key)
union all
select distinct cast(bridge.coupon_key as string) as broken, 'coupon' as rule
from {{ model }} as bridge
left join {{ ref('dim_coupon') }} as coupons on bridge.coupon_key = coupons.coupon_key
where coupons.coupon_key is null
union all
select distinct cast(bridge.product_durable_key as string) as broken, 'product' as rule
from {{ model }} as bridge
left join {{ ref('dim_product') }} as products on bridge.product_durable_key = products.product_durable_key
where products.product_durable_key is null
{% endtest %}
