"""The suites of built tables: judged in the build's file before it is published; rows never leave DuckDB."""

from pathlib import Path

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.quality.docs import update_docs
from dagster_project.quality.engine import GateEngine, shared_engine
from dagster_project.quality.results import CheckResult, Severity
from dagster_project.quality.suite import Suite, load_table_suite
from dagster_project.quality.table import Table
from dagster_project.quality.verdict import check_result, judge, literal, require_columns, row_queries

_CONSEQUENCES = {
    Severity.WARNING: "published as it is",
    Severity.CRITICAL: "nothing is published",
}


def check_tables(file: Path, tables: list[Table], *, load: str, docs_dir: Path | None = None) -> list[CheckResult]:
    """Judge tables of a DuckDB file that nobody writes to, by their suites.

    A rule may read the file's other tables as `warehouse.<schema>.<table>`, if that is what the file is called: views
    name their database, so it is attached by the name it was made with.

    Args:
        load: what to call this run on the Data Docs pages.
        docs_dir: root of the Data Docs site to update; None updates nothing.

    Returns:
        One result a rule; what follows from a broken one is the caller's.

    Raises:
        ConfigurationError: a mistake in a suite, naming file, expectation and column.
        ClienteleError: there is no such file, or no such table in it.
    """
    suites = {table: load_table_suite(table.suite) for table in tables}
    if not file.is_file():
        raise ClienteleError(f"there is no build {file}", remedy="build the warehouse before it is checked")
    checks: list[CheckResult] = []
    with shared_engine() as engine:
        engine.run(f'ATTACH {literal(str(file))} AS "{file.stem}" (READ_ONLY)')
        try:
            for table, suite in suites.items():
                checks.extend(_check_table(engine, table, suite, f'"{file.stem}"', load, docs_dir))
        finally:
            engine.open("SELECT 1 AS _row")
            engine.run(f'DETACH "{file.stem}"')
    return checks


def _check_table(
    engine: GateEngine, table: Table, suite: Suite, database: str, load: str, docs_dir: Path | None
) -> list[CheckResult]:
    relation = f'{database}."{table.schema}"."{table.name}"'
    columns = [str(row[0]) for row in engine.run(f"DESCRIBE {relation}")]
    require_columns(suite, str(table), columns)
    if unknown := [column for column in suite.key if column not in columns]:
        raise ConfigurationError(
            f"suite {suite.path}: its key names column {unknown[0]!r}, which {table} doesn't have",
            remedy=f"use one of: {', '.join(columns)}",
        )
    told = ", ', ', ".join(f"""'{column} = ', coalesce("{column}"::varchar, 'NULL')""" for column in suite.key)
    engine.open(f"SELECT *, concat({told}) AS _row FROM {relation}")
    judgements, outcome = judge(engine, suite)
    examples = _examples(engine, suite, [j.rule.meta.rule for j in judgements if not j.success])
    checks = [
        check_result(table.schema, table.name, judgement, _CONSEQUENCES, examples.get(judgement.rule.meta.rule))
        for judgement in judgements
    ]
    if docs_dir is not None:
        update_docs(docs_dir, outcome=outcome, suite=engine.gx_suite(suite), checks=tuple(checks), load=load)
    return checks


def _examples(engine: GateEngine, suite: Suite, broken: list[str]) -> dict[str, str]:
    """Of each critical rule that is broken the key of one row; a rule on the whole has none."""
    rules = [r for r in suite.expectations if r.meta.rule in broken and r.meta.severity is Severity.CRITICAL]
    return {
        rule.meta.rule: str(engine.run(f"SELECT min(_row) FROM ({query})")[0][0])
        for rule, query in row_queries(engine, suite, rules)
        if query
    }
