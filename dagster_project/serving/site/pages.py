"""The site of a release: its pages written into a folder, which any web server, or no server, shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from dagster_project.errors import ClienteleError
from dagster_project.landing.manifest import write_durably
from dagster_project.olap.cube import Cube
from dagster_project.olap.describe import described
from dagster_project.serving.report.page import TEMPLATES, shown, templates
from dagster_project.serving.site.dbt_docs import dbt_docs
from dagster_project.serving.site.history import FIGURES
from dagster_project.serving.site.lineage import Lineage, metric_id
from dagster_project.settings import Settings
from dagster_project.warehouse.catalog import catalog
from dagster_project.warehouse.releases import FILE, Release, releases_of

HERE = Path(__file__).parent
DBT_DOCS = "dbt.html"


@dataclass(frozen=True)
class _Site:
    folder: Path
    templates: Environment
    release: Release

    def write(self, name: str, template: str, **told: Any) -> None:
        """One page. `up` in a template leads from it to the site's top."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * name.count("/")
        text = self.templates.get_template(template).render(release=self.release, up=up, **told)
        write_durably(path, text)


def write_site(settings: Settings, folder: Path) -> Path:
    """Write the pages of the served release; pages of the same name are written anew.

    Returns:
        The first page.

    Raises:
        ClienteleError: nothing is served yet.
    """
    release = releases_of(settings).current()
    if release is None:
        raise ClienteleError("there is no warehouse yet to document", remedy="run: clientele load")
    file = settings.releases / release.release / FILE
    manifest = json.loads((file.parent / "target" / "manifest.json").read_text(encoding="utf-8"))
    listed = catalog(settings)
    with closing(Cube.open(file, role="")) as cube:
        site = _Site(folder, templates(HERE, TEMPLATES), release)
        lineage = Lineage(manifest, cube.dictionary)
        _metrics(site, cube, lineage)
        _feeds(site, listed, lineage)
        newest = cube.connection.execute("select max(order_date) from cube.sales_store_days").fetchall()[0][0]
        site.write("quality.html", "quality.html", figures=[shown(figure, cube, {}, newest) for figure in FIGURES])
        write_durably(folder / DBT_DOCS, dbt_docs(cube.connection, manifest))
        dictionary = cube.dictionary
        site.write(
            "index.html", "index.html", metrics=len(dictionary.metrics), newest_day=newest, feeds=len(listed["landed"]),
            tables=len(release.tables), dimensions=dictionary.dimensions.values(),
            unmeasured=dictionary.unmeasured.values(),
        )  # fmt: skip
    return folder / "index.html"


def _metrics(site: _Site, cube: Cube, lineage: Lineage) -> None:
    dictionary = cube.dictionary
    subjects = [(subject, dictionary.metrics_of(subject)) for subject in dictionary.subjects.values()]
    site.write("metrics.html", "metrics.html", subjects=[pair for pair in subjects if pair[1]], dictionary=dictionary)
    links = _links(lineage, up="../")
    for metric in dictionary.metrics.values():
        about = described(metric.name, cube)
        site.write(
            f"metrics/{metric.name}.html", "metric.html", metric=metric, about=about,
            feeds=lineage.feeds(metric_id(metric.name)),
            sql=cube.query(metric.name, by="calendar.month").sql,
            # its texts are escaped where it is drawn
            drawing=Markup(lineage.drawn(metric_id(metric.name), links)),  # noqa: S704
        )  # fmt: skip


def _feeds(site: _Site, listed: Mapping[str, list[dict[str, Any]]], lineage: Lineage) -> None:
    site.write(
        "feeds.html", "feeds.html", landed=listed["landed"], canonical=listed["canonical"],
        metrics_of=lineage.metrics_of_feeds(),
    )  # fmt: skip


def _links(lineage: Lineage, up: str) -> dict[str, str]:
    found = {}
    for node in lineage.nodes.values():
        if node.kind == "feed":
            found[node.id] = f"{up}feeds.html#{node.name}"
        elif node.kind == "model":
            found[node.id] = f"{up}{DBT_DOCS}#!/model/{node.id}"
    return found
