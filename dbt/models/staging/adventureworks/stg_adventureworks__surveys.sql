-- Answers to the one question of a survey: which products interest the customer. The question itself is not delivered.
-- One row per landed response.
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    _op as op,
    cast(surveyresponsekey as string) as response_id,
    'product_interest' as question_id,
    'Which products interest you?' as question,
    cast(customerkey as string) as customer_id,
    englishproductcategoryname as category,
    _business_date as answered_date,
    englishproductsubcategoryname as answer
from {{ landed('adventureworks', 'survey_responses') }} as responses
