"""Dashboards kept as files (dashboards/*.yml), as what Superset imports: a file a dashboard, and one a chart.

A file has a title, a description, filters and rows of charts. A chart names its dataset, its kind (Superset's
`viz_type`), its width in twelfths, and Superset's own parameters of that kind; a metric or a column is a name of the
dataset's or `{label, sql}`; `where` is SQL over the dataset's columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dagster_project.errors import ConfigurationError
from dagster_project.serving.report.page import SHARES
from dagster_project.serving.superset.datasets import VERSION, Dataset, identity

FOLDER = Path(__file__).parent / "dashboards"
COLUMNS = ("groupby", "all_columns", "x_axis")
METRICS = ("metric", "metrics", "percent_metrics", "secondary_metric", "timeseries_limit_metric")
ROOT = {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]}


def dashboard_files(datasets: Mapping[str, Dataset], folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Superset's files of all dashboards.

    Args:
        datasets: those they may show, by name.

    Raises:
        ConfigurationError: a chart shows a dataset, column or metric that is not there; names file and chart.
    """
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.yml")):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        charts = [chart for row in told["rows"] for chart in row["charts"]]
        for chart in charts:
            dataset = _dataset(chart, datasets, path)
            files[f"charts/{path.stem}-{_slug(chart['title'])}.yaml"] = _chart(path.stem, chart, dataset)
        for about in told["filters"]:
            _check_filter(about, datasets, path)
        files[f"dashboards/{path.stem}.yaml"] = _dashboard(path.stem, told, datasets)
    return files


def _dataset(chart: Mapping[str, Any], datasets: Mapping[str, Dataset], path: Path) -> Dataset:
    where = f"{path.name}: chart {chart['title']!r}"
    dataset = datasets.get(chart["dataset"])
    if dataset is None:
        raise ConfigurationError(f"{where} shows {chart['dataset']}, which the store does not hold",
                                 remedy="name a table of `clientele serve status`")  # fmt: skip
    if strange := [said for said in _spelled(chart["params"]) if said.keys() != {"label", "sql"}]:
        raise ConfigurationError(f"{where}: {strange[0]} is no metric",
                                 remedy="write {label: NAME, sql: SQL}, SQL with a comma in quotes")  # fmt: skip
    known = {"rows", *(metric.name for metric in dataset.metrics), *(column.name for column in dataset.columns)}
    if unknown := sorted(set(_names(chart["params"])) - known):
        raise ConfigurationError(f"{where}: {dataset.name} has no {', '.join(unknown)}",
                                 remedy="name its columns, or metrics of the dictionary that it holds")  # fmt: skip
    return dataset


def _check_filter(about: str, datasets: Mapping[str, Dataset], path: Path) -> None:
    table, _, name = about.rpartition(".")
    known = {column.name for column in datasets[table].columns} if table in datasets else set()
    if about != "time" and name not in known:
        raise ConfigurationError(f"{path.name}: there is no column {about} to filter by",
                                 remedy="write `time`, or TABLE.COLUMN of a table of the store")  # fmt: skip


def _spelled(params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Metrics and columns that parameters spell out."""
    for key in (*METRICS, *COLUMNS):
        value = params.get(key) or []
        yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict))


def _names(params: Mapping[str, Any]) -> Iterator[str]:
    """Columns and saved metrics that parameters name."""
    for key in (*METRICS, *COLUMNS):
        value = params.get(key) or []
        yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str))


def _chart(dashboard: str, chart: Mapping[str, Any], dataset: Dataset) -> dict[str, Any]:
    params = {key: _said(value) if key in (*METRICS, *COLUMNS) else value for key, value in chart["params"].items()}
    if chart["kind"] == "table":
        params = {
            "table_timestamp_format": "%Y-%m-%d",
            "show_cell_bars": False,
            "column_config": _formats(dataset),
        } | params
    filters = (
        [{"expressionType": "SQL", "clause": "WHERE", "sqlExpression": chart["where"]}] if "where" in chart else []
    )
    return {
        "slice_name": chart["title"],
        "description": chart.get("about"),
        "viz_type": chart["kind"],
        "params": {"viz_type": chart["kind"], "adhoc_filters": filters, "row_limit": 1000, **params},
        "uuid": identity(dashboard, chart["title"]),
        "version": VERSION,
        "dataset_uuid": dataset.uuid,
    }


def _said(given: Any) -> Any:
    """A metric or column as Superset writes it: a name, or SQL with a label."""
    if isinstance(given, list):
        return [_said(item) for item in given]
    if isinstance(given, str):
        return given
    return {"expressionType": "SQL", "sqlExpression": given["sql"], "label": given["label"], "hasCustomLabel": True}


def _formats(dataset: Dataset) -> dict[str, Any]:
    """How a table writes the dataset's numbers."""
    found = {}
    for column in dataset.columns:
        if column.kind == "DOUBLE":
            found[column.name] = ",.1%" if column.name.endswith(SHARES) else ",.2f"
        elif column.kind.startswith("DECIMAL"):
            found[column.name] = ",.2f"
        elif column.kind in {"BIGINT", "INTEGER"} and not column.name.endswith("_key"):
            found[column.name] = ",d"
    return {name: {"d3NumberFormat": format_} for name, format_ in found.items()}


def _dashboard(name: str, told: Mapping[str, Any], datasets: Mapping[str, Dataset]) -> dict[str, Any]:
    return {
        "dashboard_title": told["title"],
        "description": told["description"],
        "slug": name,
        "published": True,
        "uuid": identity(name),
        "version": VERSION,
        "position": _position(name, told),
        "metadata": {
            "cross_filters_enabled": True,
            "native_filter_configuration": [_filter(nth, about, datasets) for nth, about in enumerate(told["filters"])],
        },
    }


def _position(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of charts on a grid of twelve columns."""
    parts: dict[str, Any] = {"DASHBOARD_VERSION_KEY": "v2", "ROOT_ID": ROOT}
    header = {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": told["title"]}}
    rows: list[str] = []
    for nth, row in enumerate(told["rows"]):
        at = f"ROW-{nth}"
        charts = [_placed(name, chart, row["height"], at) for chart in row["charts"]]
        for number, chart in enumerate(charts):
            # replaced by the number the chart gets; until then it must only be its own
            chart["meta"]["chartId"] = 100 * nth + number + 1
            parts[chart["id"]] = chart
        parts[at] = {
            "type": "ROW", "id": at, "children": [chart["id"] for chart in charts], "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }  # fmt: skip
        rows.append(at)
    return parts | {
        "HEADER_ID": header,
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": rows, "parents": ["ROOT_ID"]},
    }


def _placed(name: str, chart: Mapping[str, Any], height: int, row: str) -> dict[str, Any]:
    uuid = identity(name, chart["title"])
    meta = {"width": chart["width"], "height": height, "sliceName": chart["title"], "uuid": uuid}
    return {
        "type": "CHART",
        "id": f"CHART-{uuid}",
        "children": [],
        "parents": ["ROOT_ID", "GRID_ID", row],
        "meta": meta,
    }


def _filter(nth: int, about: str, datasets: Mapping[str, Dataset]) -> dict[str, Any]:
    """`time`, or `TABLE.COLUMN` to choose members of."""
    table, _, column = about.rpartition(".")
    kind = {"filterType": "filter_time", "name": "Time", "targets": [{}]}
    if about != "time":
        target = {"column": {"name": column}, "datasetUuid": datasets[table].uuid}
        kind = {"filterType": "filter_select", "name": column.replace("_", " ").capitalize(), "targets": [target]}
    return {
        "id": f"NATIVE_FILTER-{nth}",
        "type": "NATIVE_FILTER",
        "description": "",
        "controlValues": {"multiSelect": True, "enableEmptyFilter": False},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        **kind,
    }


def _slug(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())
