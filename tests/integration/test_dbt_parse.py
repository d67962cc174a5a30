"""A parse of the dbt project is made once, and again only when the project changed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import PROJECT, Settings
from dagster_project.warehouse import dbt
from dagster_project.warehouse.dbt import manifest_path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("project") / "dbt"
    shutil.copytree(PROJECT / "dbt", copy, ignore=shutil.ignore_patterns("target", "logs"))
    return copy


def test_a_second_home_takes_over_the_parse_and_a_changed_project_is_parsed_anew(project: Path, tmp_path: Path) -> None:
    first = manifest_path(Settings(home=tmp_path / "first", dbt_dir=project))
    second = manifest_path(Settings(home=tmp_path / "second", dbt_dir=project))

    # parsing writes the time into the manifest
    assert second.read_bytes() == first.read_bytes()
    assert second != first

    (project / "seeds" / "channels.csv").touch()
    assert manifest_path(Settings(home=tmp_path / "first", dbt_dir=project)).read_bytes() == second.read_bytes()

    (project / "models" / "star" / "dim_date.sql").open("a").write("-- another\n")
    changed = manifest_path(Settings(home=tmp_path / "first", dbt_dir=project))
    assert changed.read_bytes() != second.read_bytes()
    assert len(list((project / "target" / "parsed").iterdir())) == 1, "parses of earlier versions are kept"


def test_a_parse_that_was_killed_vouches_for_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project changes, the parse of it dies after dbt wrote its files, the change is taken back."""
    settings = Settings(home=tmp_path / "home", dbt_dir=project)
    assert "model.clientele.dim_extra" not in dbt.read_manifest(settings)["nodes"]
    extra = project / "models" / "star" / "dim_extra.sql"
    extra.write_text("select 1 as one")
    invoke = dbt._invoke

    def dies_after(*args: Any, **kwargs: Any) -> None:
        invoke(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(dbt, "_invoke", dies_after)
        with pytest.raises(KeyboardInterrupt):
            dbt.read_manifest(settings)
    extra.unlink()
    assert "model.clientele.dim_extra" not in dbt.read_manifest(settings)["nodes"]
    assert "model.clientele.dim_extra" not in dbt.parse(settings).nodes


def test_a_home_goes_without_the_shared_parse_where_the_project_is_read_only(project: Path, tmp_path: Path) -> None:
    shutil.rmtree(project / "target", ignore_errors=True)
    (project / "target").write_text("a file where the folder would be")
    started = time.time()

    path = manifest_path(Settings(home=tmp_path / "home", dbt_dir=project))

    assert path.stat().st_mtime >= started - 1
    assert (project / "target").is_file()
