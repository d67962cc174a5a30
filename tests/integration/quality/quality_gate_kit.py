"""Helpers for tests of the gate: tiny landed batches and suites, judged by the real engine."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.quality import GateResult, check_batch


@dataclass(frozen=True)
class Gate:
    """One feed's files in a temporary folder."""

    folder: Path

    @property
    def batch(self) -> Path:
        return self.folder / "load=20170101T000000Z-0001" / "part.parquet"

    @property
    def suite(self) -> Path:
        return self.folder / "orders.json"

    @property
    def violations(self) -> Path:
        return self.folder / "violations.parquet"

    @property
    def docs(self) -> Path:
        return self.folder / "docs"

    def land(self, select: str) -> None:
        """Write a batch: `_row` is counted, `_op` is insert unless the SELECT says otherwise."""
        self.batch.parent.mkdir(parents=True, exist_ok=True)
        op = "" if "_op" in select else ", 'insert' AS _op"
        with duckdb.connect() as con:
            con.execute(
                f"COPY (SELECT *{op}, row_number() OVER () AS _row FROM ({select})) "
                f"TO '{str(self.batch).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)"
            )

    def rules(self, *rules: dict[str, Any]) -> None:
        self.suite.write_text(json.dumps({"name": "landing.shop.orders", "expectations": list(rules)}))

    def check(self, *, docs: bool = False) -> GateResult:
        return check_batch(
            self.batch,
            self.suite,
            source="shop",
            feed="orders",
            violations=self.violations,
            docs_dir=self.docs if docs else None,
        )

    def set_aside(self) -> list[tuple[int, str, str]]:
        with duckdb.connect() as con:
            return con.execute("FROM read_parquet(?) ORDER BY _row, rule", [str(self.violations)]).fetchall()


def rule(name: str, severity: str, kind: str, **kwargs: Any) -> dict[str, Any]:
    """One expectation of a suite."""
    meta = {"rule": name, "severity": severity, "why": f"Because of {name}."}
    return {"type": kind, "kwargs": kwargs, "meta": meta}


def not_null(column: str, severity: str = "quarantine") -> dict[str, Any]:
    return rule(f"{column}_present", severity, "expect_column_values_to_not_be_null", column=column)


def meet(name: str, condition: str, severity: str = "quarantine", **tolerance: Any) -> dict[str, Any]:
    return rule(name, severity, "expect_rows_to_meet", condition=condition, **tolerance)
