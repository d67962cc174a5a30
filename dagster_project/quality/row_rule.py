"""`expect_rows_to_meet`: an expectation on whole rows, written as a SQL condition.

Great Expectations' own `unexpected_rows_expectation` pulls up to 200 rows into Python, can't say
which rows a quarantine should set aside, and costs queries of its own. This one is an aggregate:
GX counts it in the one query it makes of all column rules of the suite.

As a CHECK constraint does, it lets a row pass whose condition is NULL.
Import this module only where Great Expectations may be imported: it is part of the engine.
"""

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

ROW_RULE = "expect_rows_to_meet"


class RowsBreaking(TableMetricProvider):  # type: ignore[misc]
    """How many rows make the condition false."""

    metric_name = "table.rows_breaking"
    value_keys = ("condition",)

    @metric_partial(  # type: ignore[untyped-decorator]
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls, metric_domain_kwargs: dict[str, Any], metric_value_kwargs: dict[str, Any], **_: Any
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        broken: sa.ColumnElement[bool] = sa.literal_column(f"(NOT ({metric_value_kwargs['condition']}))")
        return sa.func.count(sa.case((broken, 1))), metric_domain_kwargs, {}


class ExpectRowsToMeet(BatchExpectation):  # type: ignore[misc]
    """Rows meet a SQL condition.

    Args:
        condition: DuckDB SQL over the columns of the batch; a row breaks the rule when it is false.
        tolerated_rows: the rule holds while no more rows than this break it.
        tolerated_share: the rule holds while no larger share of the rows than this breaks it.
            Both tolerances apply: it fails only beyond each, so one bad row in a batch of one
            row isn't "100% bad".
    """

    condition: str
    tolerated_rows: int = 0
    tolerated_share: float = 0.0

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.row_count", "table.rows_breaking")
    success_keys: ClassVar[tuple[str, ...]] = ("condition", "tolerated_rows", "tolerated_share")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        rows, broken = int(metrics["table.row_count"]), int(metrics["table.rows_breaking"] or 0)
        percent = 100 * broken / rows if rows else 0.0
        return {
            "success": broken <= self.tolerated_rows or broken <= self.tolerated_share * rows,
            "result": {
                "element_count": rows,
                "unexpected_count": broken,
                "unexpected_percent": percent,
            },
        }
