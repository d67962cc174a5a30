"""The project keeps the shape its README draws: imports point one way, files stay short, no telemetry."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "dagster_project"

# package -> the sibling packages it may import; `errors`, `settings` and `progress` are for all
MAY_IMPORT = {
    "contract": set(),
    "landing": {"contract"},
    "profiling": {"contract", "landing"},
    "quality": set(),
    "warehouse": {"clv", "contract", "landing", "quality"},
    "spark": {"landing", "warehouse"},
    # reads a release and nothing else
    "olap": set(),
    # reads a release and its own artefacts
    "clv": {"landing"},
    "serving": {"landing", "olap", "warehouse"},
    "defs": {"contract", "landing", "quality", "serving", "spark", "warehouse"},
}
MAY_IMPORT_DAGSTER = {"defs", "definitions.py", "dagster_instance.py", "dagster_event_log.py", "cli"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    siblings = {p.name for p in PACKAGE.iterdir() if p.is_dir()} - {package} - MAY_IMPORT[package]
    forbidden = {f"dagster_project.{name}" for name in siblings}
    for path in (PACKAGE / package).rglob("*.py"):
        wrong = {name for name in imports(path) if any(name == f or name.startswith(f + ".") for f in forbidden)}
        assert not wrong, f"{path.relative_to(PROJECT)} imports {wrong}"


def test_only_the_definitions_and_the_command_line_know_dagster() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in MAY_IMPORT_DAGSTER:
            continue
        wrong = {name for name in imports(path) if name.split(".")[0] in {"dagster", "dagster_dbt"}}
        assert not wrong, f"{path.relative_to(PROJECT)} imports {wrong}"


def test_files_stay_short_enough_to_read() -> None:
    counted = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in PACKAGE.rglob("*.py")}
    assert not {str(p.relative_to(PROJECT)): n for p, n in counted.items() if n > 400}


def test_asking_the_status_loads_none_of_the_heavy_libraries() -> None:
    """`clientele status` answers at once: dagster, dbt and great_expectations cost 5 s to import."""
    code = (
        "import sys; from dagster_project.cli import app;"
        " heavy = {'dagster', 'dbt', 'great_expectations', 'pandas', 'scipy'} & set(sys.modules);"
        " assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert done.returncode == 0, done.stderr


def test_no_library_calls_home() -> None:
    import dagster_project.settings  # noqa: F401 - sets them on import

    for name, value in {
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
    }.items():
        assert os.environ[name] == value
