"""A suite's rules judged on what the engine has open: a mistake named by rule, a verdict as a plain record."""

from collections.abc import Mapping
from typing import Any

from dagster_project.errors import ConfigurationError
from dagster_project.quality.engine import VIEW, GateEngine, Judgement, without_values
from dagster_project.quality.results import CheckResult, Severity
from dagster_project.quality.suite import README, Rule, Suite


def require_columns(suite: Suite, name: str, columns: list[str]) -> None:
    """Raises ConfigurationError if a rule names a column that `name` doesn't have."""
    for rule in suite.expectations:
        for column in rule.columns:
            if column not in columns:
                raise ConfigurationError(
                    f"suite {suite.path}: rule {rule.meta.rule!r} ({rule.type}) names column {column!r}, "
                    f"which {name} doesn't have",
                    remedy=f"use one of: {', '.join(columns)}",
                )


def judge(engine: GateEngine, suite: Suite) -> tuple[list[Judgement], Any]:
    """All rules in one pass; judgements in the order of the suite and Great Expectations' own result.

    Raises:
        ConfigurationError: a rule can't be evaluated; names it.
    """
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


def row_queries(engine: GateEngine, suite: Suite, broken: list[Rule]) -> list[tuple[Rule, str | None]]:
    """For each broken rule the SQL that selects `_row` of its rows; None for a rule on the whole.

    Asked in a second pass over the broken rules only: what is clean, the usual case, pays nothing.
    """
    own: list[tuple[Rule, str | None]] = [
        (r, f"SELECT _row FROM {VIEW} WHERE NOT ({r.kwargs['condition']})") for r in broken if r.type == engine.row_rule
    ]
    others = [r for r in broken if r.type != engine.row_rule]
    if not others:
        return own
    judgements, _ = engine.validate(suite.subset(others, "rows"), row_queries=True)
    queries = [(j.rule, j.result.get("unexpected_index_query")) for j in judgements]
    return own + [(rule, str(query).rstrip().rstrip(";") if query else None) for rule, query in queries]


def check_result(
    source: str, feed: str, judgement: Judgement, consequences: Mapping[Severity, str], example: str | None = None
) -> CheckResult:
    """The judgement as a record.

    Args:
        source, feed: whose it is; of a table its schema and name.
        consequences: what follows from a broken rule of each severity, for the message.
        example: the key of a row that breaks the rule, for the message.
    """
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
        message=_message(f"{source}.{feed}", judgement, consequences[rule.meta.severity])
        + (f" For example {example}." if example else ""),
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


def _message(of: str, judgement: Judgement, consequence: str) -> str:
    rule, result = judgement.rule, judgement.result
    rows, unexpected = int(result.get("element_count") or 0), int(result.get("unexpected_count") or 0)
    name = f"{of}: {rule.meta.rule}"
    if judgement.success and not unexpected:
        return f"{name}: holds"
    if not unexpected:
        return f"{name}: fails as a whole. {rule.meta.why}"
    share = _share(unexpected, rows, digits=",")
    if judgement.success:
        return f"{name}: {share}, within what the rule tolerates. {rule.meta.why}"
    return f"{name}: {share}, {consequence}. {rule.meta.why}"


def literal(text: str) -> str:
    """Text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"
