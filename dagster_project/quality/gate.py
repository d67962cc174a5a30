"""The gate on one batch: run its suite in DuckDB, name what is wrong, mark the rows to set aside."""

import time
from pathlib import Path
from typing import Any

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.quality.docs import update_docs
from dagster_project.quality.engine import (
    VIEW,
    GateEngine,
    Judgement,
    readable_parquet,
    shared_engine,
    without_values,
)
from dagster_project.quality.results import CheckResult, GateResult, Severity
from dagster_project.quality.suite import README, Rule, Suite, load_suite

_REQUIRED = ("_row", "_op")


def check_batch(
    batch: Path, suite: Path, *, source: str, feed: str, violations: Path, docs_dir: Path | None = None
) -> GateResult:
    """Check a landed batch against its suite; rows never leave DuckDB.

    Rows with `_op` = 'delete' are not judged: they repeat values that passed the gate when they came,
    and setting one aside would keep a deleted member alive.

    Args:
        batch: Parquet file with the feed's columns, `_row` BIGINT (unique) and `_op` VARCHAR.
        suite: the suite's JSON file.
        source, feed: for results and messages.
        violations: Parquet file to write when rows break quarantine rules: `_row` BIGINT,
            `rule` VARCHAR, `reason` VARCHAR, one line a row and rule. Removed if nothing does.
        docs_dir: root of the Data Docs site to update (about 20 ms); None updates nothing.

    Returns:
        All results; broken critical rules are listed, what follows from them is the caller's.

    Raises:
        ConfigurationError: a mistake in the suite, naming file, expectation and column.
        ClienteleError: the batch isn't there or isn't a landed batch.
    """
    rules = load_suite(suite)
    with shared_engine() as engine:
        start = time.perf_counter()
        file = readable_parquet(batch)
        _require_columns(engine, rules, file, f"{source}.{feed}", batch)
        engine.open(f"SELECT * FROM read_parquet({file}) WHERE _op IS DISTINCT FROM 'delete'")
        judgements, outcome = _judge(engine, rules)
        quarantined = _write_violations(engine, rules, judgements, violations)
        checks = tuple(_check_result(source, feed, j) for j in judgements)
        if docs_dir is not None:
            gx_suite = engine.gx_suite(rules)
            load = batch.parent.name.removeprefix(".extract-")
            update_docs(docs_dir, outcome=outcome, suite=gx_suite, checks=checks, load=load)
        return GateResult(checks, quarantined, time.perf_counter() - start)


def _require_columns(engine: GateEngine, suite: Suite, file: str, name: str, batch: Path) -> None:
    try:
        described = engine.run(f"DESCRIBE SELECT * FROM read_parquet({file})")
    except Exception as error:
        raise ClienteleError(
            f"{name}: batch {batch} can't be read as Parquet: {type(error).__name__}",
            remedy="land the feed again; the file is damaged or incomplete",
        ) from error
    columns = [str(row[0]) for row in described]
    missing = [c for c in _REQUIRED if c not in columns]
    if missing:
        raise ClienteleError(
            f"{name}: batch {batch} has no column {', '.join(missing)}",
            remedy="check a landed batch (part.parquet), not a source's file",
        )
    for rule in suite.expectations:
        for column in rule.columns:
            if column not in columns:
                raise ConfigurationError(
                    f"suite {suite.path}: rule {rule.meta.rule!r} ({rule.type}) names column {column!r}, "
                    f"which {name} doesn't have",
                    remedy=f"use one of: {', '.join(columns)}",
                )


def _judge(engine: GateEngine, suite: Suite) -> tuple[list[Judgement], Any]:
    try:
        judgements, outcome = engine.validate(suite)
    except Exception as error:
        raise _suite_error(engine, suite) or error from error
    if any(j.error for j in judgements):
        # Rules share one query: one bad rule fails them all. Ask each alone which it was.
        raise _suite_error(engine, suite) or ConfigurationError(
            f"suite {suite.path}: its rules can't be evaluated together: "
            f"{next(j.error for j in judgements if j.error)}",
            remedy=f"remove rules until it runs; {README} shows what they may look like",
        )
    return judgements, outcome


def _suite_error(engine: GateEngine, suite: Suite) -> ConfigurationError | None:
    """The error of the first rule that can't be evaluated by itself."""
    for rule in suite.expectations:
        try:
            judgements, _ = engine.validate(suite.subset([rule], "alone"))
            problem = judgements[0].error
        except Exception as error:  # noqa: BLE001 - GX raises what it likes; reported by rule below
            problem = without_values(str(error) or type(error).__name__)
        if problem:
            return ConfigurationError(
                f"suite {suite.path}: rule {rule.meta.rule!r} ({rule.type}) can't be evaluated: {problem}",
                remedy=f"correct its type and kwargs; {README} shows how",
            )
    return None


def _write_violations(engine: GateEngine, suite: Suite, judgements: list[Judgement], violations: Path) -> int:
    """Write one line a row and broken quarantine rule; the number of distinct rows among them."""
    violations.unlink(missing_ok=True)
    broken = [j.rule for j in judgements if j.rule.meta.severity is Severity.QUARANTINE and not j.success]
    if not broken:
        return 0
    parts = [
        f"SELECT _row::BIGINT AS _row, {_literal(rule.meta.rule)} AS rule, "
        f"{_literal(_reason(rule))} AS reason FROM ({query}) AS broken"
        for rule, query in _row_queries(engine, suite, broken)
    ]
    violations.parent.mkdir(parents=True, exist_ok=True)
    target = _literal(str(violations))
    # No ORDER BY: with all 20.9M promotions set aside, sorting took 1.9 GB more.
    engine.run(f"COPY ({' UNION ALL '.join(parts)}) TO {target} (FORMAT parquet)")
    count = "count(*)" if len(parts) == 1 else "count(DISTINCT _row)"
    return int(engine.run(f"SELECT {count} FROM read_parquet({target})")[0][0])


def _row_queries(engine: GateEngine, suite: Suite, broken: list[Rule]) -> list[tuple[Rule, str]]:
    """For each broken rule the SQL that selects `_row` of its rows.

    Asked in a second pass over the broken rules only: a clean batch, the usual one, pays nothing.
    """
    own = [
        (r, f"SELECT _row FROM {VIEW} WHERE NOT ({r.kwargs['condition']})") for r in broken if r.type == engine.row_rule
    ]
    others = [r for r in broken if r.type != engine.row_rule]
    if not others:
        return own
    judgements, _ = engine.validate(suite.subset(others, "rows"), row_queries=True)
    return own + [(j.rule, _row_query(suite, j)) for j in judgements]


def _row_query(suite: Suite, judgement: Judgement) -> str:
    query = judgement.result.get("unexpected_index_query")
    if not query:
        raise ConfigurationError(
            f"suite {suite.path}: rule {judgement.rule.meta.rule!r} ({judgement.rule.type}) is a quarantine "
            "rule, but it judges the batch as a whole and can't say which rows are wrong",
            remedy="make it a warning or critical, or use a rule on column values or expect_rows_to_meet",
        )
    return str(query).rstrip().rstrip(";")


def _check_result(source: str, feed: str, judgement: Judgement) -> CheckResult:
    rule, result = judgement.rule, judgement.result
    rows, unexpected = int(result.get("element_count") or 0), int(result.get("unexpected_count") or 0)
    return CheckResult(
        source=source,
        feed=feed,
        rule=rule.meta.rule,
        expectation=rule.type,
        column=", ".join(rule.columns) or None,
        severity=rule.meta.severity,
        success=judgement.success,
        element_count=rows,
        unexpected_count=unexpected,
        observed=_observed(result),
        message=_message(source, feed, judgement, rows, unexpected),
    )


def _observed(result: dict[str, Any]) -> str | None:
    """Counts for row rules; for aggregates the number. Text, dates and sets may be personal: left out."""
    if "element_count" in result:
        rows = int(result["element_count"] or 0)
        return _share(int(result.get("unexpected_count") or 0), rows, digits="d")
    value = result.get("observed_value")
    return str(value) if isinstance(value, int | float) else None


def _share(unexpected: int, rows: int, *, digits: str) -> str:
    """Of all rows; GX's own percentage leaves NULLs out of the whole."""
    return f"{unexpected:{digits}} of {rows:{digits}} rows ({100 * unexpected / max(rows, 1):.3g}%)"


def _message(source: str, feed: str, judgement: Judgement, rows: int, unexpected: int) -> str:
    rule = judgement.rule
    name = f"{source}.{feed}: {rule.meta.rule}"
    if judgement.success and not unexpected:
        return f"{name}: holds"
    if not unexpected:
        return f"{name}: fails for the batch as a whole. {rule.meta.why}"
    share = _share(unexpected, rows, digits=",")
    if judgement.success:
        return f"{name}: {share}, within what the rule tolerates. {rule.meta.why}"
    consequence = {
        Severity.WARNING: "kept",
        Severity.QUARANTINE: "set aside",
        Severity.CRITICAL: "the feed lands nothing",
    }[rule.meta.severity]
    return f"{name}: {share}, {consequence}. {rule.meta.why}"


def _reason(rule: Rule) -> str:
    columns = ", ".join(rule.columns)
    return f"{columns}: {rule.meta.why}" if columns else rule.meta.why


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
