"""A chart of an answer, for notebooks."""

from __future__ import annotations

from typing import Any

from dagster_project.olap.answer import Answer
from dagster_project.olap.dictionary import CubeError

PERIODS = {"line": "lines over periods", "bar": "bars over members"}


def chart(answer: Answer, kind: str) -> Any:
    """A plotly figure: the first level along the axis, the second one as colours, a panel a metric.

    Args:
        kind: `line` or `bar`; empty: lines over a calendar level, bars otherwise.

    Raises:
        CubeError: there is nothing to draw along, or plotly is not installed.
    """
    try:
        from plotly import express
    except ImportError:
        raise CubeError("plotly is not installed", remedy="uv sync --group notebook") from None
    if kind and kind not in PERIODS:
        raise CubeError(f"there is no chart {kind!r}", remedy=f"one of: {', '.join(PERIODS)}")
    count = answer.statement.levels
    levels, metrics = answer.statement.columns[:count], answer.statement.columns[count:]
    if not levels:
        raise CubeError("one number is no chart", remedy="ask by a level, like calendar.month")
    # the period goes along the axis, whichever level was asked first
    along = next((name for name in levels if name.startswith("calendar.")), levels[0])
    colour = next((name for name in levels if name != along), None)
    frame = answer.df().astype(dict.fromkeys(metrics, float))
    long = frame.melt(id_vars=list(levels), value_vars=list(metrics), var_name="metric")
    long[along] = long[along].astype(str)
    draw = {"line": express.line, "bar": express.bar}[kind or ("line" if along.startswith("calendar.") else "bar")]
    figure = draw(long, x=along, y="value", color=colour, facet_row="metric" if len(metrics) > 1 else None)
    figure.update_yaxes(matches=None)
    figure.update_xaxes(type="category")
    return figure
