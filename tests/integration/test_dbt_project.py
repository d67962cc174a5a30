"""The dbt project by itself: its unit tests and its shape."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DBT = PROJECT / "dbt"


def dbt(folder: Path, *args: str, project: Path = DBT) -> subprocess.CompletedProcess[str]:
    where = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(folder / "target")]
    return subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *args, *where, "--log-path", str(folder / "logs")],
        env=os.environ | {"CLIENTELE_BUILD": str(folder / "warehouse.duckdb")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("dbt")
    done = dbt(folder, "parse")
    assert done.returncode == 0, done.stdout
    loaded: dict[str, Any] = json.loads((folder / "target" / "manifest.json").read_text())
    return loaded


def test_every_rule_about_time_and_money_holds_in_its_unit_test(tmp_path: Path, manifest: dict[str, Any]) -> None:
    done = dbt(tmp_path, "test", "--select", "test_type:unit")
    assert done.returncode == 0, done.stdout
    assert f"PASS={len(manifest['unit_tests'])} WARN=0 ERROR=0 SKIP=0" in done.stdout, done.stdout


def test_every_published_table_has_an_enforced_contract_and_described_columns(manifest: dict[str, Any]) -> None:
    models = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    published = [n for n in models if n["schema"] in {"star", "cube", "mart"}]
    assert len(published) >= 28
    for node in published:
        assert node["contract"]["enforced"], node["name"]
        assert node["description"].strip(), node["name"]
        undescribed = [c["name"] for c in node["columns"].values() if not c["description"] or not c["data_type"]]
        assert not undescribed, f"{node['name']}: {undescribed}"


def test_every_fact_says_what_it_reconciles_with(manifest: dict[str, Any]) -> None:
    facts = {n["name"]: n for n in manifest["nodes"].values() if n["name"].startswith("fct_") and n["schema"] == "star"}
    assert sorted(facts) == [
        "fct_campaign_contact", "fct_campaign_cost", "fct_churn_event", "fct_contact_centre_shift",
        "fct_coupon_redemption", "fct_fx_rate", "fct_interaction", "fct_opportunity", "fct_order_charge",
        "fct_order_fulfilment", "fct_payment", "fct_promo_coverage", "fct_return_line", "fct_sales_line",
        "fct_survey_answer",
    ]  # fmt: skip
    for name, node in facts.items():
        assert node["config"]["meta"]["reconciles"], name
        assert "rows" in node["config"]["meta"]["measures"], name


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ('{name: of_one_store, label: x, type: simple, type_params: {measure: net_sales}, filter: "1 = 1"}', "filter"),
        (
            "{name: a_year_ago, label: x, type: derived, type_params: {expr: net_sales,"
            " metrics: [{name: net_sales, offset_window: 1 year}]}}",
            "ask for variants",
        ),
        (
            "{name: first_day, label: x, type: cumulative, type_params: {measure: net_sales,"
            " cumulative_type_params: {grain_to_date: month}}}",
            "period_agg: last",
        ),
    ],
)
def test_a_metric_the_cube_does_not_understand_is_refused_not_half_understood(
    tmp_path: Path, metric: str, told: str
) -> None:
    shutil.copytree(DBT, tmp_path / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    declared = tmp_path / "dbt" / "models" / "semantic" / "mine.yml"
    declared.write_text(f"metrics:\n  - {metric}\n")
    done = dbt(tmp_path, "compile", "--select", "catalog", project=tmp_path / "dbt")
    assert done.returncode != 0
    assert "says what the cube does not know" in done.stdout
    assert told in done.stdout


def test_models_stay_short_enough_to_read() -> None:
    long = {p.name: n for p in (DBT / "models").rglob("*.sql") if (n := len(p.read_text().splitlines())) > 150}
    assert not long
