-- Personal data joins the star by durable key: a row here is a person whom dim_customer does not know, though the row
-- the data came with is one of a customer. Feeds that customers are looked up in may tell of others too.
select person.customer_durable_key
from {{ ref('pii_customer_row') }} as person
left join {{ ref('dim_customer') }} as customer on person.customer_durable_key = customer.customer_durable_key
where person.source_feed in ({{ quoted(pii_feeds()) }}) and customer.customer_durable_key is null
