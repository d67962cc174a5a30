"""The report of a release: every figure asked, drawn, and written with its table and its SQL into one HTML file."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlglot
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dagster_project.errors import ClienteleError
from dagster_project.landing.manifest import write_durably
from dagster_project.olap.cube import Cube
from dagster_project.serving.report import drawing
from dagster_project.serving.report.figures import CHAPTERS, Asked, Figure
from dagster_project.settings import Settings
from dagster_project.warehouse.releases import FILE, Release, releases_of

TEMPLATES = Path(__file__).parent
# Columns that are shares of one
SHARES = ("_share", "_rate", "year_over_year", "p_alive")


@dataclass(frozen=True)
class Column:
    name: str
    is_number: bool


@dataclass(frozen=True)
class Shown:
    """A figure as it stands on the page; cells as text, in the order of the columns."""

    title: str
    about: str
    nothing: str
    columns: list[Column]
    rows: list[list[str]]
    sql: str
    svg: Markup


@dataclass(frozen=True)
class ShownChapter:
    name: str
    title: str
    figures: list[Shown]


def write_report(settings: Settings, target: Path | None = None) -> Path:
    """Write the report of the served release.

    Raises:
        ClienteleError: nothing is served yet.
    """
    release = releases_of(settings).current()
    if release is None:
        raise ClienteleError("there is no warehouse yet to report on", remedy="run: clientele load")
    target = target or settings.report
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(Cube.open(settings.releases / release.release / FILE, role="")) as cube:
        write_durably(target, render(cube, release))
    return target


def render(cube: Cube, release: Release) -> str:
    """The page as HTML, nothing of it from elsewhere."""
    newest = cube.connection.execute("select max(order_date) from cube.sales_store_days").fetchall()[0][0]
    words = _words(release, newest)
    chapters = [
        ShownChapter(chapter.name, chapter.title, [shown(figure, cube, words, newest) for figure in chapter.figures])
        for chapter in CHAPTERS
    ]
    return (
        templates(TEMPLATES)
        .get_template("page.html")
        .render(
            chapters=chapters,
            release=release.release,
            load_date=release.load_date.isoformat(),
            published_at=release.published_at[:19].replace("T", " "),
            newest_day=newest,
        )
    )


def templates(*folders: Path) -> Environment:
    """Jinja's, for HTML, in which a name that is not there is an error."""
    return Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def _words(release: Release, newest: date | None) -> dict[str, str]:
    day = newest or release.load_date
    since = f"{day.year - (day.month < 12)}-{day.month % 12 + 1:02}"
    return {
        "release": release.release,
        "month": f"{day:%Y-%m}",
        "since": since,
    }


def shown(figure: Figure, cube: Cube, words: dict[str, str], newest: date | None) -> Shown:
    names, rows, sql = _ask(figure.question, cube, words, newest)
    numeric = [all(isinstance(row[nth], int | float | Decimal | None) for row in rows) for nth in range(len(names))]
    texts = [[_text(name, value) for name, value in zip(names, row, strict=True)] for row in rows]
    return Shown(
        title=figure.title.format(**words),
        about=figure.about,
        nothing="Nothing to show." if newest or isinstance(figure.question, str) else "No orders are loaded.",
        columns=[Column(name, is_number) for name, is_number in zip(names, numeric, strict=True)],
        rows=texts,
        sql=sqlglot.transpile(sql, read="duckdb", write="duckdb", pretty=True)[0],
        svg=_drawn(figure, names, rows, texts),
    )


def _ask(
    question: Asked | str, cube: Cube, words: dict[str, str], newest: date | None
) -> tuple[list[str], list[tuple[Any, ...]], str]:
    if isinstance(question, str):
        query = question.format(**words)
        found = cube.connection.execute(query)
        return [column[0] for column in found.description or ()], found.fetchall(), query
    answer = cube.query(
        question.metrics,
        by=question.by,
        where=question.where.format(**words),
        order=question.order,
        limit=question.limit,
    )
    table = answer.arrow()
    rows = [tuple(row.values()) for row in table.to_pylist()] if newest else []
    return table.column_names, rows, answer.sql


def _drawn(figure: Figure, names: list[str], rows: list[tuple[Any, ...]], texts: list[list[str]]) -> Markup:
    chart = figure.chart
    if chart is None or not rows:
        return Markup()
    along = names.index(chart.along)
    places = [texts_of_row[along] for texts_of_row in texts]

    def values(name: str) -> list[float | None]:
        at = names.index(name)
        return [None if row[at] is None else float(row[at]) for row in rows]

    if chart.kind == "line":
        series = {name: values(name) for name in chart.values if any(value is not None for value in values(name))}
        return Markup(drawing.lines(places, series))  # noqa: S704 - the texts in it are escaped
    (name,) = chart.values
    at = names.index(name)
    return Markup(drawing.bars(places, values(name), [row[at] for row in texts]))  # noqa: S704 - escaped, too


def _text(name: str, value: Any) -> str:
    """As people read it; empty where nothing is measured."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if name.endswith(("_key", "_id")) else f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{100 * value:,.1f} %" if name.endswith(SHARES) else f"{value:,.2f}"
    return str(value)
