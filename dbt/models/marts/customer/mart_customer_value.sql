-- One row per person who ordered: what they brought so far, whether they will buy again, and what is to be expected.
-- Additive over people: historic and expected value. As of as_of_date: the fit's day, or the newest with orders for
-- those the fit did not know (new since, or changed by a late order), who are told by the rule of thumb `fallback`.
-- Made whole each load; a load reads the newest fit and never fits.
with
scored as (
    {{ fitted('purchases', {
        'model': 'varchar', 'frequency': 'bigint', 'recency_days': 'bigint', 'age_days': 'bigint', 'p_alive': 'double',
        'expected_purchases_year': 'double', 'discounted_purchases': 'double',
    }) }}
),

valued as (
    {{ fitted('values', {
        'model': 'varchar', 'value_days': 'bigint', 'value_amount': 'decimal(19, 4)', 'expected_value': 'double',
    }) }}
),

chosen as (
    select
        max(case when role = 'purchases' and is_chosen then model end) as purchases_model,
        max(case when role = 'value' and is_chosen then model end) as value_model,
        coalesce(max(horizon_months), 36) as horizon_months,
        coalesce(max(discount_rate), cast(0.1 as double)) as discount_rate
    from {{ ref('clv_fit') }}
),

-- the rule of thumb's figures of everybody: days watched by the repeats made, and one; mean of a paid repeat day
everybody as (
    select
        greatest({{ ratio('sum(age_days)', '(sum(frequency) + 1)') }}, cast(1 as double)) as gap_days,
        coalesce({{ ratio('sum(value_amount)', 'sum(value_days)') }}, cast(0 as double)) as mean_value
    from {{ ref('customer_purchases') }}
),

by_rule as (
    select
        people.*,
        chosen.horizon_months, chosen.discount_rate, chosen.purchases_model, chosen.value_model,
        {{ ratio('people.recency_days + everybody.gap_days', '(people.frequency + 1)') }} as usual_gap,
        {{ ratio('people.value_amount + everybody.mean_value', '(people.value_days + 1)') }} as rule_value
    from {{ ref('customer_purchases') }} as people
    cross join everybody
    cross join chosen
),

ruled as (
    select
        *,
        power(cast(2 as double), -1 * {{ ratio('(age_days - recency_days)', '(3 * usual_gap)') }}) as rule_alive,
        {{ ratio(month_days(), 'usual_gap') }} as purchases_a_month,
        {{ annuity('discount_rate', 'horizon_months') }} as months_worth
    from by_rule
),

told as (
    select
        ruled.*,
        coalesce(scored.model, 'fallback') as told_by,
        coalesce(valued.model, 'fallback') as valued_by,
        coalesce(scored.p_alive, ruled.rule_alive) as p_alive,
        coalesce(
            scored.expected_purchases_year, ruled.rule_alive * 12 * ruled.purchases_a_month
        ) as expected_purchases_year,
        coalesce(
            scored.discounted_purchases, ruled.rule_alive * ruled.purchases_a_month * ruled.months_worth
        ) as discounted_purchases,
        coalesce(valued.expected_value, ruled.rule_value) as expected_value
    from ruled
    left join scored
        on ruled.purchases_model = scored.model
        and ruled.frequency = scored.frequency
        and ruled.recency_days = scored.recency_days
        and ruled.age_days = scored.age_days
    left join valued
        on ruled.value_model = valued.model
        and ruled.value_days = valued.value_days
        and ruled.value_amount = valued.value_amount
),

historic as (
    select
        activity.mastered_customer_key,
        sum(activity.net_sales) as net_sales,
        -- decimals add up to the same in any order
        sum(cast({{ discounted(
            'activity.net_sales', 'chosen.discount_rate',
            months_from('people.first_order_date', 'activity.month_start_date'),
        ) }} as decimal(28, 8))) as present_value
    from {{ ref('customer_month_activity') }} as activity
    inner join {{ ref('customer_purchases') }} as people
        on activity.mastered_customer_key = people.mastered_customer_key
    cross join chosen
    group by activity.mastered_customer_key
)

select
    told.mastered_customer_key, told.as_of_date, {{ date_key('told.as_of_date') }} as as_of_date_key,
    told.told_by, told.valued_by,
    told.frequency, told.recency_days, told.age_days,
    cast(told.p_alive as double) as p_alive,
    cast(told.expected_purchases_year as double) as expected_purchases_year,
    cast(told.expected_value as double) as expected_purchase_value,
    cast(told.discounted_purchases * told.expected_value as decimal(19, 4)) as expected_present_value,
    cast(historic.net_sales as decimal(19, 4)) as historic_value,
    cast(round(historic.present_value, 4) as decimal(19, 4)) as historic_present_value,
    cast(told.horizon_months as integer) as horizon_months,
    told.discount_rate
from told
inner join historic on told.mastered_customer_key = historic.mastered_customer_key
