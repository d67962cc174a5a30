"""Where the rows of a landed feed go: staging models by name, and the facts a feed is compared with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.landing.manifest import Manifest
from dagster_project.landing.source import Feed
from dagster_project.settings import Settings
from dagster_project.warehouse.dbt import staging_models
from dagster_project.warehouse.fingerprints import unread
from dagster_project.warehouse.reconciliation import Table, compared

SALES, RETURNS = Table("star.fct_sales_line", {}, None), Table("star.fct_return_line", {}, None)
LEFT, CUSTOMERS = Table("star.fct_churn_event", {}, None), Table("star.dim_customer", {}, "count(*)")
PRODUCTS = Table("star.dim_product", {}, "count(*)")


def feed(canonical: list[str], extract: str = "append") -> Feed:
    said: dict[str, Any] = {
        "source": "shop",
        "name": "lines",
        "path": "lines.csv",
        "class": "transactional",
        "canonical": canonical,
        "extract": extract,
        "key": ["id"],
        "columns": {"id": "BIGINT", "day": "DATE"},
    }
    return Feed.model_validate(said | ({"cursor": "day"} if extract == "append" else {}))


@pytest.mark.parametrize(
    ("canonical", "extract", "tables", "expected"),
    [
        (["order_lines"], "append", {"order_lines": SALES}, [("order_lines",)]),
        (
            ["order_lines", "returns", "products"],
            "append",
            {"order_lines": SALES, "returns": RETURNS, "products": PRODUCTS},
            [("order_lines", "returns")],
        ),
        (["order_lines", "returns"], "append", {"order_lines": SALES}, []),
        (["customers", "products"], "snapshot", {"products": PRODUCTS}, [("products",)]),
        (["products"], "append", {"products": PRODUCTS}, []),
        ([], "snapshot", {"products": PRODUCTS}, []),
        (
            ["customers", "churn_events"],
            "snapshot",
            {"customers": CUSTOMERS, "churn_events": LEFT},
            [("customers",)],
        ),
    ],
    ids=[
        "one fact",
        "facts together, no list",
        "a fact is missing",
        "each list",
        "a derived list",
        "a lookup",
        "derived events",
    ],
)
def test_a_feed_is_compared_with_all_facts_its_rows_go_to(
    canonical: list[str], extract: str, tables: dict[str, Table], expected: list[tuple[str, ...]]
) -> None:
    assert compared(feed(canonical, extract), tables) == expected


def staged(folder: Path, *names: str) -> Settings:
    for name in names:
        path = folder / "models" / "staging" / name.split("__")[0].partition("_")[2] / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("select 1")
    return Settings(home=folder / "home", dbt_dir=folder, sources="shop,till")


def test_staging_models_are_found_by_name_for_the_enabled_sources(tmp_path: Path) -> None:
    names = ["stg_shop__order_lines", "stg_shop__order_lines__web", "stg_till__order_lines", "stg_off__order_lines"]
    settings = staged(tmp_path, *names, "base_shop__lines")
    assert json.loads(staging_models(settings)) == {"order_lines": names[:3]}


@pytest.mark.parametrize("name", ["stg_shop__sales", "stg_shop"])
def test_a_staging_model_that_nothing_would_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        staging_models(staged(tmp_path, name))
    assert f"{name}.sql" in str(raised.value)
    assert "name it stg_shop__<feed of sources/contract.yml>.sql" in str(raised.value)


def test_views_of_the_build_that_nothing_published_reads_are_known() -> None:
    def node(name: str, materialized: str, *parents: str, database: str = "staged") -> dict[str, Any]:
        return {
            "name": name,
            "resource_type": "model",
            "database": database,
            "config": {"materialized": materialized},
            "depends_on": {"nodes": list(parents)},
        }

    nodes = {
        "fact": node("fact", "incremental", "canonical", database="warehouse"),
        "lines": node("lines", "view", "fact", "rates", database="warehouse"),
        "rates": node("rates", "view"),
        "canonical": node("canonical", "view", "staging"),
        "staging": node("staging", "view", "source.landed"),
        "idle": node("idle", "view", "staging"),
        "idle_too": node("idle_too", "view", "idle"),
    }
    assert unread({"nodes": nodes}) == ["idle", "idle_too"]


def test_a_batch_landed_when_a_feed_filled_one_canonical_feed_is_still_read() -> None:
    said = '{"load_id": "l", "load_date": "2017-03-01", "source": "shop", "feed": "lines", "canonical": "order_lines",'
    said += '"mode": "append", "schema_version": 1, "columns": {}, "files": [], "counts": {}}'
    assert Manifest.model_validate_json(said).canonical == ("order_lines",)
