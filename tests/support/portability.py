"""The portable SQL rules of the dbt project, held with a parser.

Two readings of each model or test: *written* is its file with Jinja taken out, *compiled* is what the engine gets.
How a thing is spelled is judged as written, so that macros may emit what only one engine knows; what it means is
judged as compiled, so that a macro's arguments are judged too.

Undecidable without the data, and so left to the reader: whether an ordering ends in a unique tie-break.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import sqlglot
from jinja2 import Environment
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokens import Token, TokenType


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Functions that DuckDB and Spark both have, by the same name and with the same meaning.
PORTABLE = words(
    "abs avg bool_and bool_or ceil ceiling char_length chr coalesce cos count cume_dist day dense_rank exp"
    " first_value floor greatest grouping hour isnan lag last_value lead least left length ln log10 lower lpad"
    " ltrim make_date max max_by md5 median min min_by minute mod month ntile nullif percent_rank"
    " percentile_cont power quarter rank repeat replace reverse right round row_number rpad rtrim second sign"
    " split_part sqrt stddev_pop stddev_samp substr substring sum translate trim upper var_pop var_samp year"
)
# What Spark lacks or names otherwise; the macros that emit it have a variant for each engine.
FROM_MACROS = {
    "date_diff": "seconds_from",
    "date_trunc": "first_of",
    "generate_series": "each_day, each_number",
    "isodow": "iso_weekday",
    "read_parquet": "landed",
    "weekofyear": "iso_week",
}
INSTEAD = {
    "any_value": "min or max",
    "arg_max": "max_by",
    "arg_min": "min_by",
    "concat": "|| with coalesce: the engines treat NULL differently",
    "grouping_id": "a sum over grouping(c)",
    "strftime": "a macro of macros/dates.sql",
    "now": "the variable load_date",
    "today": "the variable load_date",
    "hash": "md5 through hash_key",
    "random": "nothing: a rebuild must give the same rows",
}
TYPES = {
    exp.DataType.Type[name]
    for name in ("BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "DECIMAL", "DOUBLE", "FLOAT", "VARCHAR", "TEXT")
} | {exp.DataType.Type[name] for name in ("DATE", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ")}
# Never NULL in any model, so that it does not matter where NULLs would stand.
NEVER_NULL = words("load_id load_row source_system source_feed effective_from valid_from")
RANKING = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)
HASHES = (exp.MD5, exp.MD5Digest, exp.SHA, exp.SHA2)
NOT_A_CALL = words(
    "all and any as between by case cast cube distinct else exists filter from group having if in inner interval is"
    " join like not on or over partition qualify rollup select sets then try_cast union using values when where with"
)
TYPE_NAMES = words("decimal numeric varchar")


class Sql(DuckDB):
    """DuckDB's SQL, read so that an ascending order that does not say `nulls last` shows as NULLs first."""

    NULL_ORDERING = "nulls_are_small"


def violations(written: str, compiled: str) -> list[str]:
    """Rules that a model or test breaks, each with what to write instead; none if it is portable.

    Args:
        written: the file as it is, with Jinja.
        compiled: what dbt made of it.
    """
    as_written = _tokens(_without_jinja(written))
    found = [problem for rule in WRITTEN_RULES for problem in rule(as_written)]
    found += _unknown_functions(_tokens(compiled))
    for statement in sqlglot.parse(compiled, read=Sql):
        if statement is not None:
            found += [problem for rule in COMPILED_RULES for problem in rule(statement)]
    return sorted(set(found))


def _without_jinja(text: str) -> str:
    """The SQL that stands in the file itself; a name in the place of what a Jinja expression puts there."""
    kept = {"data": lambda value: value, "variable_begin": lambda _: " jinja "}
    return "".join(kept[kind](value) for _, kind, value in Environment().lex(text) if kind in kept)


def _tokens(text: str) -> list[Token]:
    return sqlglot.tokenize(text, read="duckdb")


def _called(tokens: list[Token]) -> Iterator[str]:
    """Names of the functions called: a word before a bracket that is no syntax, type or list of columns."""
    for number, (token, after) in enumerate(pairwise(tokens)):
        name = token.text.lower()
        before = tokens[number - 1].text.lower() if number else ""
        if (
            after.token_type is TokenType.L_PAREN
            and name.isidentifier()
            and name not in NOT_A_CALL | TYPE_NAMES
            and before not in {"as", "with", "."}
        ):
            yield name


def _casts_by_colons(tokens: list[Token]) -> Iterator[str]:
    if any(token.token_type is TokenType.DCOLON for token in tokens):
        yield "x::type: write cast(x as type)"


def _quoted_identifiers(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.token_type is TokenType.IDENTIFIER:
            yield f'"{token.text}": double quotes are a string on Spark; write a lower-case name, or adapter.quote'


def _backslashes(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.token_type is TokenType.STRING and "\\" in token.text:
            yield f"'{token.text}': a backslash escapes on Spark; write [.] for \\."


def _nested_literals(tokens: list[Token]) -> Iterator[str]:
    if any(token.token_type in {TokenType.L_BRACKET, TokenType.L_BRACE} for token in tokens):
        yield "[...] or {...}: lists and structs are spelled differently; use a macro"


def _functions_of_one_engine(tokens: list[Token]) -> Iterator[str]:
    for name in _called(tokens):
        if macro := FROM_MACROS.get(name):
            yield f"{name}(): write the macro {macro}"


def _unknown_functions(tokens: list[Token]) -> Iterator[str]:
    for name in _called(tokens):
        if name not in PORTABLE and name not in FROM_MACROS:
            remedy = INSTEAD.get(name, "a macro, and list it in FROM_MACROS, or in PORTABLE if Spark has it too")
            yield f"{name}(): write {remedy}"


def _stars_that_leave_out(tree: exp.Expression) -> Iterator[str]:
    for star in tree.find_all(exp.Star):
        if any(star.args.values()):
            yield "* exclude, replace or rename: name the columns"


def _distinct(tree: exp.Expression) -> Iterator[str]:
    for distinct in tree.find_all(exp.Distinct):
        if distinct.args.get("on"):
            yield "distinct on: write qualify row_number() over (...) = 1"
        if isinstance(distinct.parent, exp.Count) and (
            len(distinct.expressions) > 1 or isinstance(distinct.expressions[0], exp.Tuple)
        ):
            yield "count(distinct a, b): count over a subquery"


def _unguarded_divisions(tree: exp.Expression) -> Iterator[str]:
    for division in tree.find_all(exp.Div, exp.Mod):
        divisor = division.expression
        while isinstance(divisor, exp.Paren | exp.Cast):
            divisor = divisor.this
        literal = isinstance(divisor, exp.Literal) and divisor.is_number and float(divisor.this) != 0
        if not (literal or isinstance(divisor, exp.Nullif)):
            yield f"{division.sql('duckdb')}: write x / nullif(y, 0); zero gives infinity here and an error on Spark"
    for division in tree.find_all(exp.IntDiv):
        yield f"{division.sql('duckdb')}: write floor(x / nullif(y, 0))"


def _divisions_left_open(tree: exp.Expression) -> Iterator[str]:
    """What a division of decimals gives is a double on DuckDB and a decimal of many places on Spark."""
    for division in tree.find_all(exp.Div):
        if division.find_ancestor(exp.Cast, exp.Round, exp.Floor, exp.Ceil, exp.Select).__class__ is exp.Select:
            yield f"{division.sql('duckdb')}: cast the result, or round it"


def _integer_casts(tree: exp.Expression) -> Iterator[str]:
    """2.5 becomes 3 on DuckDB (half to even: 2.5 -> 2, 3.5 -> 4 for doubles) and 2 on Spark."""
    whole = {exp.DataType.Type[name] for name in ("TINYINT", "SMALLINT", "INT", "BIGINT")}
    for cast in tree.find_all(exp.Cast):
        inner = cast.this.unnest()
        if cast.to.this not in whole or isinstance(inner, exp.Round | exp.Floor | exp.Ceil):
            continue
        is_broken = isinstance(inner, exp.Div) or (isinstance(inner, exp.Literal) and "." in inner.this)
        is_typed = (
            isinstance(inner, exp.Cast)
            and inner.to.this not in whole
            and inner.to.is_type("decimal", "double", "float")
        )
        if is_broken or is_typed:
            yield f"{cast.sql('duckdb')}: one engine rounds, the other cuts off; write round or floor inside"


def _hashed_doubles(tree: exp.Expression) -> Iterator[str]:
    for hashed in tree.find_all(*HASHES):
        if any(
            cast.to.this in {exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT} for cast in hashed.find_all(exp.Cast)
        ):
            yield f"{hashed.sql('duckdb')}: a double is written differently by each engine; hash a decimal"


def _orderings(tree: exp.Expression) -> Iterator[str]:
    for window in tree.find_all(exp.Window):
        order = window.args.get("order")
        function = window.this.this if isinstance(window.this, exp.IgnoreNulls | exp.RespectNulls) else window.this
        if order is None:
            if isinstance(function, RANKING):
                yield f"{window.sql('duckdb')}: order it, or every run ranks differently"
            continue
        yield from _null_places(order)
    for aggregate in tree.find_all(exp.WithinGroup):
        yield from _null_places(aggregate.expression)


def _null_places(order: exp.Expression) -> Iterator[str]:
    """An ascending order has NULLs last on DuckDB and first on Spark; a descending one has them last on both."""
    for term in order.find_all(exp.Ordered):
        if not term.args.get("desc") and term.args.get("nulls_first") and not _is_never_null(term.this):
            yield f"order by {term.this.sql('duckdb')}: write nulls last"


def _is_never_null(term: exp.Expression) -> bool:
    """Columns that are there in every row, and a choice between constants."""
    if isinstance(term, exp.Column):
        return term.name.lower() in NEVER_NULL or term.name.lower().endswith("_durable_key")
    if isinstance(term, exp.Case):
        results = [branch.args["true"] for branch in term.args["ifs"]] + [term.args.get("default")]
        return all(isinstance(result, exp.Literal) for result in results)
    return False


def _clocks(tree: exp.Expression) -> Iterator[str]:
    for clock in tree.find_all(exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentDatetime, exp.CurrentTime):
        yield f"{clock.sql('duckdb').lower()}: a rebuild must give the same rows; write the variable load_date"


def _samples(tree: exp.Expression) -> Iterator[str]:
    if tree.find(exp.TableSample):
        yield "sample: a rebuild must give the same rows"


def _joins_of_one_engine(tree: exp.Expression) -> Iterator[str]:
    for join in tree.find_all(exp.Join):
        if (join.args.get("method") or "").upper() in {"ASOF", "POSITIONAL"}:
            yield f"{join.args['method'].lower()} join: write it as a range join"


def _anti_joins_that_mind_nulls(tree: exp.Expression) -> Iterator[str]:
    """Beside an `or`, Spark compares each row of one side with each of the other: four minutes for small tables."""
    for negated in tree.find_all(exp.Not):
        if isinstance(negated.this, exp.In) and negated.this.args.get("query"):
            yield f"{negated.this.this.sql('duckdb')} not in (select ...): write not exists"


def _unordered_limits(tree: exp.Expression) -> Iterator[str]:
    for limit in tree.find_all(exp.Limit):
        if limit.parent is not None and not limit.parent.args.get("order"):
            yield "limit without order by: other rows each time"


def _types_of_one_engine(tree: exp.Expression) -> Iterator[str]:
    for cast in tree.find_all(exp.Cast, exp.TryCast):
        if cast.to.this not in TYPES:
            yield f"cast as {cast.to.sql('duckdb').lower()}: Spark has no such type"


WRITTEN_RULES: tuple[Callable[[list[Token]], Iterator[str]], ...] = (
    _casts_by_colons,
    _quoted_identifiers,
    _backslashes,
    _nested_literals,
    _functions_of_one_engine,
)
COMPILED_RULES: tuple[Callable[[exp.Expression], Iterator[str]], ...] = (
    _stars_that_leave_out,
    _distinct,
    _unguarded_divisions,
    _divisions_left_open,
    _integer_casts,
    _hashed_doubles,
    _orderings,
    _clocks,
    _samples,
    _joins_of_one_engine,
    _anti_joins_that_mind_nulls,
    _unordered_limits,
    _types_of_one_engine,
)
