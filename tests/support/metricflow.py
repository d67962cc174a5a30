"""MetricFlow as a peer: it reads the same semantic models and writes SQL of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb


class Peer:
    """MetricFlow's answers from a warehouse; on the fact, for it knows no rollups."""

    def __init__(self, semantic_manifest: Path, warehouse: Path) -> None:
        from dbt_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        text = semantic_manifest.read_text(encoding="utf-8")
        parsed: PydanticSemanticManifest = parse_manifest_from_dbt_generated_manifest(json.dumps(json.loads(text)))
        self.engine = MetricFlowEngine(SemanticManifestLookup(parsed), _Client())
        self.con = duckdb.connect()
        self.con.execute(f"attach '{warehouse.resolve()}' as warehouse (read_only)")

    def sql(self, metrics: Sequence[str], by: Sequence[str], where: Sequence[str] = ()) -> str:
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

        request = MetricFlowQueryRequest.create(
            metric_names=list(metrics), group_by_names=list(by) or None, where_constraints=list(where) or None
        )
        return str(self.engine.explain(request).sql_statement.sql)

    def answer(self, metrics: Sequence[str], by: Sequence[str], where: Sequence[str] = ()) -> list[tuple[Any, ...]]:
        return self.con.execute(self.sql(metrics, by, where)).fetchall()


class _Client:
    """All that MetricFlow asks of a client that only compiles."""

    def __init__(self) -> None:
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer

        self.sql_engine_type = SqlEngine.DUCKDB
        self.sql_plan_renderer = DuckDbSqlPlanRenderer()

    def close(self) -> None:
        """Nothing is open."""

    def render_bind_parameter_key(self, bind_parameter_key: str) -> str:
        return f"${bind_parameter_key}"
