{# Quantiles, tails and pseudo-random numbers in SQL that every engine reads alike. #}

{#
  The 97.5 % quantile of Student's t with any number of degrees of freedom from 2 on; NULL below. Hill (1970), CACM
  algorithm 396: relative error against scipy.stats.t.ppf at most 4e-6 from 3 degrees of freedom on, 2e-7 from 3.5, 6e-8
  from 5; between 2 and 3 his series for the tail, at most 5e-4.
#}
{% macro t_quantile(df) -%}
    {%- set n = '(' ~ df ~ ')' -%}
    {%- set x = -1.959963984540054 -%}
    {%- set y = x * x -%}
    {%- set numerator = ((0.4 * y + 6.3) * y + 36) * y + 94.5 -%}
    {%- set a = '(1 / nullif(' ~ n ~ ' - 0.5, 0))' -%}
    {%- set b = '(48 * (' ~ n ~ ' - 0.5) * (' ~ n ~ ' - 0.5))' -%}
    {%- set c = '(((20700 * ' ~ a ~ ' / nullif(' ~ b ~ ', 0) - 98) * ' ~ a ~ ' - 16) * ' ~ a ~ ' + 96.36)' -%}
    {%- set root = 'sqrt(' ~ a ~ ' * 1.5707963267948966) * ' ~ n -%}
    {%- set d = '(((94.5 / nullif(' ~ b ~ ' + ' ~ c ~ ', 0) - 3) / nullif(' ~ b ~ ', 0) + 1) * ' ~ root ~ ')' -%}
    {%- set small = '(case when ' ~ n ~ ' < 5 then 0.3 * (' ~ n ~ ' - 4.5) * ' ~ (x + 0.6) ~ ' else 0 end)' -%}
    {%- set e = '((((0.05 * ' ~ d ~ ' * (' ~ x ~ ') - 5) * (' ~ x ~ ') - 7) * (' ~ x ~ ') - 2) * (' ~ x ~ ') + ' ~ b
        ~ ' + ' ~ c ~ ' + ' ~ small ~ ')' -%}
    {%- set z = '(((' ~ numerator ~ ' / nullif(' ~ e ~ ', 0) - ' ~ (y + 3) ~ ') / nullif(' ~ b ~ ', 0) + 1) * (' ~ x ~ '))' -%}
    {%- set tail = 'power(0.05 * ' ~ d ~ ', 2 / nullif(' ~ n ~ ', 0))' -%}
    {%- set f = '((' ~ n ~ ' + 6) / nullif(' ~ n ~ ' * ' ~ tail ~ ', 0) - 0.089 * ' ~ d ~ ' - 0.822)' -%}
    cast(case
        when {{ n }} >= 3 then sqrt({{ n }} * (exp({{ a }} * {{ z }} * {{ z }}) - 1))
        when {{ n }} >= 2 then sqrt({{ n }} * (
            ((1 / nullif({{ f }} * ({{ n }} + 2) * 3, 0) + 0.5 / nullif({{ n }} + 4, 0)) * {{ tail }} - 1)
            * ({{ n }} + 1) / nullif({{ n }} + 2, 0) + 1 / nullif({{ tail }}, 0)
        ))
    end as double)
{%- endmacro %}

{#
  How probable a value of Student's t at least that far from nought is. Hill (1970), CACM algorithm 395, gives the
  normal deviate, Chebyshev's fit of Press et al. (Numerical Recipes, erfcc) its tail. Against scipy.stats.t.sf: relative
  error 1e-6 from 10 degrees of freedom on and |t| <= 4, 2e-4 at 5.
#}
{% macro t_normal_deviate(t, df) -%}
    {%- set b = '(48 * (' ~ df ~ ' - 0.5) * (' ~ df ~ ' - 0.5))' -%}
    {%- set y = '((' ~ df ~ ' - 0.5) * ln(1 + ' ~ t ~ ' * ' ~ t ~ ' / nullif(' ~ df ~ ', 0)))' -%}
    cast(
        (((((-0.4 * {{ y }} - 3.3) * {{ y }} - 24) * {{ y }} - 85.5)
        / nullif(0.8 * {{ y }} * {{ y }} + 100 + {{ b }}, 0) + {{ y }} + 3) / nullif({{ b }}, 0) + 1) * sqrt({{ y }})
        as double
    )
{%- endmacro %}

{% macro two_tails(z) -%}
    {%- set x = '(abs(' ~ z ~ ') * 0.7071067811865476)' -%}
    {%- set u = '(1 / nullif(1 + 0.5 * ' ~ x ~ ', 0))' -%}
    {%- set nested = namespace(sum='0.17087277') -%}
    {%- for factor in [
        -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    ] -%}
        {%- set nested.sum = '(' ~ factor ~ ' + ' ~ u ~ ' * ' ~ nested.sum ~ ')' -%}
    {%- endfor -%}
    cast({{ u }} * exp(-{{ x }} * {{ x }} - 1.26551223 + {{ u }} * {{ nested.sum }}) as double)
{%- endmacro %}

{#
  A pseudo-random whole number below 2147483647 (a prime) from two below it: squared between additions, so that replicates
  of one seed are no shifts of one another. A subquery over `relation` with `columns`; the result is called random_number.
#}
{% macro random_prime() %}2147483647{% endmacro %}
{% macro with_random_numbers(relation, columns, seed, replicate) -%}
    (
        select {{ columns }}, (third * 48271 + 12345) % {{ random_prime() }} as random_number
        from (
            select {{ columns }}, (second * second + {{ replicate }} * 7919) % {{ random_prime() }} as third
            from (
                select {{ columns }}, (first * first + {{ seed }}) % {{ random_prime() }} as second
                from (
                    select
                        {{ columns }},
                        ({{ seed }} * 48271 + {{ replicate }} * 69621 + 11) % {{ random_prime() }} as first
                    from {{ relation }}
                ) as once
            ) as twice
        ) as thrice
    )
{%- endmacro %}

{# How often a unit is drawn in a replicate: Poisson with mean 1. #}
{% macro poisson_weight(number) -%}
    {#- the prime times the cumulative probabilities of 0, 1, ... 8 -#}
    {%- set limits = [
        790015084, 1580030168, 1975037709, 2106706890, 2139624186, 2146207645, 2147304888, 2147461637, 2147481231,
    ] -%}
    case
        {%- for limit in limits %}
        when {{ number }} < {{ limit }} then {{ loop.index0 }}
        {%- endfor %}
        else {{ limits | length }}
    end
{%- endmacro %}
