"""A source of somebody else, brought into a copy of the project as sources/README.md tells it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.support.documents import Document
from tests.support.installation import PROJECT, Installation

README = Document("sources/README.md")
# Baskets that say nothing but what was bought together, in rows.
GROCERIES = """
name: groceries
kind: files
root: ${GROCERIES_DIR}
timezone: Europe/Vienna
feeds:
  baskets:
    path: baskets.csv
    class: transactional
    canonical: order_lines
    extract: append
    key: [basket, item]
    cursor: "date '2020-01-01'"
    columns: {basket: VARCHAR, item: VARCHAR}
"""


def told(language: str, part: str) -> str:
    """The one block of sources/README.md that has this part."""
    (block,) = (block for block in README.blocks(language) if part in block)
    return block


def brought_in(folder: Path, source: str, staging: Mapping[str, str], first_date: str) -> Installation:
    """A home whose project has this source besides its own, and no other enabled; its files belong in `folder`/data.

    Args:
        source: source.yml; its root is the variable <NAME>_DIR. staging: canonical feed -> staging model.
    """
    declared = yaml.safe_load(source)
    name = declared["name"]
    for part in ("dbt", "sources", "expectations"):
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("target", "logs"))
    models = folder / "dbt" / "models" / "staging" / name
    for place in (folder / "sources" / name, models, folder / "data"):
        place.mkdir()
    (folder / "sources" / name / "source.yml").write_text(source)
    tables = [{"name": feed} for feed in declared["feeds"]]
    (models / "sources.yml").write_text(
        yaml.safe_dump({"sources": [{"name": name, "schema": "landing", "tables": tables}]})
    )
    for canonical, query in staging.items():
        (models / f"stg_{name}__{canonical}.sql").write_text(query)
    env = {f"CLIENTELE_{part.upper()}_DIR": str(folder / part) for part in ("dbt", "sources", "expectations")}
    env |= {"CLIENTELE_SOURCES": name, f"{name.upper()}_DIR": str(folder / "data"), "CLIENTELE_FIRST_DATE": first_date}
    return Installation(folder / "home", folder / "data", env)
