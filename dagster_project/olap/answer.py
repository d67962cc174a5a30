"""An answer: a table, where it came from, and the next questions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dagster_project.olap.compiler import Statement
from dagster_project.olap.dictionary import CubeError
from dagster_project.olap.query import Query
from dagster_project.olap.small_cells import SUPPRESSED

if TYPE_CHECKING:
    import pandas as pd

    from dagster_project.olap.cube import Cube


@dataclass(frozen=True)
class Answer:
    """Rows of cells: first the columns of the levels, then one a metric.

    Where small cells are hidden, a last column `suppressed` is true for rows in which a value was.

    Attributes:
        seconds: what the warehouse took.
    """

    cube: Cube
    query: Query
    statement: Statement
    table: pa.Table
    seconds: float

    @property
    def sql(self) -> str:
        return self.statement.sql

    def df(self) -> pd.DataFrame:
        """As a pandas frame; money as Decimal."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def arrow(self) -> pa.Table:
        return self.table

    def records(self) -> list[dict[str, Any]]:
        """A list of dictionaries."""
        found: list[dict[str, Any]] = self.table.to_pylist()
        return found

    def drill(self, member: Any, level: str = "") -> Answer:
        """One level down, for a member of the last level (or of `level`); conditions stay."""
        return self.cube.ask(self.cube.drill(self.query, member, level))

    def roll_up(self, level: str = "") -> Answer:
        """One level up; what drilling held fast is let go."""
        return self.cube.ask(self.cube.roll_up(self.query, level))

    def pivot(self, columns: str) -> pd.DataFrame:
        """Members of one level as columns, the other levels as rows; cells without data are empty."""
        frame = self.df()
        level = self.cube.dictionary.level(columns).name
        levels = list(self.statement.columns[: self.statement.levels])
        if level not in levels:
            raise CubeError(f"the question is not told by {level}", remedy=f"it is told by {', '.join(levels)}")
        rows = [name for name in levels if name != level]
        metrics = list(self.statement.columns[self.statement.levels :])
        # the mark doubles the table, so it is there only if something is hidden
        if SUPPRESSED in frame and frame[SUPPRESSED].any():
            metrics.append(SUPPRESSED)
        if not rows:
            return frame.set_index(level)[metrics].T
        # cells are unique, so nothing is to be summed: pivot_table would, and money as floats
        return frame.pivot(index=rows, columns=level, values=metrics)

    def chart(self, kind: str = "") -> Any:
        """A chart (plotly): lines over periods, bars over members.

        Raises:
            CubeError: plotly is not installed.
        """
        from dagster_project.olap.charts import chart

        return chart(self, kind)

    def explain(self) -> dict[str, Any]:
        """Which table answered, the SQL, rows read, seconds, and how fresh the release is."""
        profile = self.cube.connection.execute(f"explain (analyze, format json) {self.sql}").fetchall()[0][1]
        return {
            "answered_by": self.statement.answered_by,
            "rows_read": _rows_read(json.loads(profile)),
            "rows": self.table.num_rows,
            "seconds": round(self.seconds, 6),
            **self.cube.release,
            "sql": self.sql,
        }

    def write(self, path: Path) -> None:
        """To a file, by its ending: .csv, .json, .parquet or .arrow."""
        if path.suffix == ".csv":
            import pyarrow.csv

            pyarrow.csv.write_csv(self.table, path)
        elif path.suffix == ".parquet":
            import pyarrow.parquet

            pyarrow.parquet.write_table(self.table, path)
        elif path.suffix == ".json":
            path.write_text(json.dumps(self.records(), indent=2, default=str) + "\n", encoding="utf-8")
        elif path.suffix == ".arrow":
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, self.table.schema) as writer:
                writer.write_table(self.table)
        else:
            raise CubeError(f"{path}: no format has this ending", remedy="use .csv, .json, .parquet or .arrow")


def _rows_read(node: dict[str, Any]) -> int:
    """Rows that the scans of a profile gave to the operators above them."""
    own = int(node.get("intermediate_rows") or 0) if str(node.get("type", "")).endswith("SCAN") else 0
    below = [*node.get("operator", []), *node.get("children", [])]
    return own + sum(_rows_read(child) for child in below)
