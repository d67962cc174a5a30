-- One row per source system, level, antecedent and consequent bought together: who buys the one also buys the other.
-- Not additive. Both directions of a pair that reaches its level's minimum support, if they reach the confidence too.
-- Support, confidence: Agrawal, Imielinski and Swami 1993; lift, conviction: Brin, Motwani, Ullman and Tsur 1997;
-- leverage: Piatetsky-Shapiro 1991. A rule without exception has no finite conviction: it is NULL there.
-- Made whole each load, from counts of pairs by month; the window's months are those the pairs are kept of.
with
pairs as (
    select source_system, item_level, item_a_key, item_b_key, cast(sum(baskets) as bigint) as both_baskets
    from {{ ref('basket_pair_months') }}
    where item_a_key < item_b_key
    group by source_system, item_level, item_a_key, item_b_key
),

directed as (
    select item_a_key as antecedent_key, item_b_key as consequent_key, both_baskets
    from pairs
    union all
    select item_b_key as antecedent_key, item_a_key as consequent_key, both_baskets
    from pairs
),

rules as (
    select
        antecedents.source_system,
        antecedents.item_level,
        antecedents.item_key as antecedent_key,
        antecedents.item as antecedent,
        antecedents.item_name as antecedent_name,
        antecedents.department as antecedent_department,
        consequents.item_key as consequent_key,
        consequents.item as consequent,
        consequents.item_name as consequent_name,
        consequents.department as consequent_department,
        antecedents.as_of_date,
        antecedents.window_start_date,
        antecedents.all_baskets,
        antecedents.baskets as antecedent_baskets,
        consequents.baskets as consequent_baskets,
        directed.both_baskets,
        cast(antecedents.all_baskets as double) as n,
        cast(antecedents.baskets as double) as a,
        cast(consequents.baskets as double) as b,
        cast(directed.both_baskets as double) as ab
    from directed
    inner join {{ ref('basket_items') }} as antecedents on directed.antecedent_key = antecedents.item_key
    inner join {{ ref('basket_items') }} as consequents on directed.consequent_key = consequents.item_key
    inner join {{ ref('basket_levels') }} as levels on antecedents.item_level = levels.item_level
    where
        directed.both_baskets >= levels.min_support * antecedents.all_baskets
        and directed.both_baskets >= levels.min_confidence * antecedents.baskets
)

select
    source_system, item_level,
    antecedent_key, antecedent, antecedent_name, antecedent_department,
    consequent_key, consequent, consequent_name, consequent_department,
    as_of_date, window_start_date,
    all_baskets, antecedent_baskets, consequent_baskets, both_baskets,
    cast(ab / nullif(n, 0) as double) as support,
    cast(ab / nullif(a, 0) as double) as confidence,
    cast(ab * n / nullif(a * b, 0) as double) as lift,
    cast(ab / nullif(n, 0) as double) - cast(a * b / nullif(n * n, 0) as double) as leverage,
    cast((n - b) * a / nullif(n * (a - ab), 0) as double) as conviction
from rules
