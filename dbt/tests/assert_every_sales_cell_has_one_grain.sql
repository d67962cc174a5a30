-- Rows mean that a cell of the cube belongs to no declared grain, or that two cells claim to be the same one.
select grain, period, department, category, store_key, age_band, income_band, count(*) as cell_count
from {{ ref('sales_month_grains') }}
where {{ in_tested_months('month_start_date') }}
group by grain, period, department, category, store_key, age_band, income_band
having count(*) > 1 or grain is null
union all
select grain, period, department, category, store_key, age_band, income_band, count(*) as cell_count
from {{ ref('sales_grains') }}
group by grain, period, department, category, store_key, age_band, income_band
having count(*) > 1 or grain is null
