-- Rows mean that a source sends a channel that the seed channels.csv does not know: those facts have channel -1.
select distinct lines.channel
from {{ ref('order_lines') }} as lines
left join {{ ref('dim_channel') }} as channels on lines.channel = channels.channel_code
where
    {{ 'true' if rebuilt('fct_sales_line') else in_batch('lines.load_id') }}
    and lines.channel is not null
    and channels.channel_code is null
