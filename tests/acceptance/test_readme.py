"""What the documents show works: commands, queries, settings, paths.

The two headline commands, `make load` and `make up`, are run in a fresh clone (test_fresh_clone.py).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.settings import PROJECT, Settings
from tests.support.documents import Document
from tests.support.installation import Installation

DOCUMENTS = [
    "README.md",
    "DECISIONS.md",
    "CHANGELOG.md",
    "docs/runbook.md",
    "docs/cubes.md",
    "docs/glossary.md",
    "docs/questions.md",
    "docs/policies.md",
    "docs/serving.md",
    "sources/README.md",
    "sources/complete_journey/README.md",
    "dagster_project/README.md",
]
README, RUNBOOK, SOURCES = Document("README.md"), Document("docs/runbook.md"), Document("sources/README.md")
CUBES, QUESTIONS = Document("docs/cubes.md"), Document("docs/questions.md")

# Commands that only look, are quick, and end well on a loaded warehouse: run as they stand.
RUN = (
    "clientele status",
    "clientele doctor",
    'clientele sql "',
    "clientele release list",
    "clientele quarantine list",
    "clientele quarantine show complete_journey.transactions",
    "clientele landing recount",
    "clientele source list",
    "clientele source check",
    "clientele cube ",
)
HEADLINES = ("git clone", "make load", "make up")
# `make bench` is a script of its own; the others check these very files.
MAKE_ONLY_NAMED = ("make test", "make check", "make bench", "make superset")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, slice_dir: Path) -> Installation:
    """One installation with the slice's whole year; nobody changes it."""
    installation = Installation(tmp_path_factory.mktemp("readme") / "home", slice_dir)
    assert installation.load()["status"] == "published"
    return installation


def shown_commands() -> list[str]:
    """Commands of the `sh` blocks and of the text, each once."""
    found = [line for document in (README, RUNBOOK, SOURCES, CUBES) for line in document.commands()]
    found += [text for document in (README, RUNBOOK, SOURCES, CUBES) for text in document.inline()]
    return sorted({text for text in found if re.match(r"(\w+=\S+ )*clientele \w", text)})


def arguments(command: str) -> list[str]:
    """What follows `clientele`, settings in front of it left out."""
    words = shlex.split(command)
    return words[words.index("clientele") + 1 :]


def told_by_help(command: str) -> str:
    """What a command says to --help; an option or a command that does not exist is refused even so."""
    from dagster_project.cli import app

    result = CliRunner().invoke(app, [*arguments(command), "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output
    return result.output


def looks_only(command: str) -> bool:
    # in a table a cube's command is named without what it needs
    is_named = command.startswith("clientele cube ") and command != "clientele cube list" and len(command.split()) == 3
    return command.startswith(RUN) and " LOAD" not in command and not is_named


@pytest.mark.parametrize("query", [*README.queries(), *RUNBOOK.queries(), *CUBES.queries(), *QUESTIONS.queries()])
def test_each_query_shown_answers(loaded: Installation, query: str) -> None:
    assert loaded.sql(query), "no rows"


@pytest.mark.parametrize("command", [command for command in shown_commands() if looks_only(command)])
def test_each_command_that_only_looks_runs(loaded: Installation, command: str) -> None:
    loaded.run(*arguments(command), check=0)


def test_each_other_command_is_understood() -> None:
    for command in shown_commands():
        if not looks_only(command):
            told_by_help(command)


def test_the_commands_listed_are_the_commands_there_are() -> None:
    from typer.main import get_command

    from dagster_project.cli import app

    commands: dict[str, object] = get_command(app).commands  # type: ignore[attr-defined]
    names = {
        " ".join(["clientele", name, *below])
        for name, command in commands.items()
        for below in ([[sub] for sub in getattr(command, "commands", {})] or [[]])
    }
    listed = "\n".join(row[0] for row in README.table_below("Commands"))
    assert names == set(re.findall(r"`(clientele [\w ]+)`", listed))


def test_the_options_named_in_the_command_table_exist() -> None:
    for command, meaning in README.table_below("Commands"):
        told = told_by_help(command.strip("`"))
        for option in re.findall(r"(--[\w-]+)", meaning):
            assert option in told, f"{command} has no {option}"


def test_the_python_shown_runs(loaded: Installation) -> None:
    for document, told in ((README, "2017-Q4"), (CUBES, "GROCERY")):
        (program,) = document.blocks("python")
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=loaded.home, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert told in done.stdout


def test_the_settings_table_says_what_the_settings_are() -> None:
    table = {cells[0].strip("`"): cells[1:] for cells in README.table_below("Settings")}
    fields = {f"CLIENTELE_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert list(table) == list(fields)
    for name, (default, meaning) in table.items():
        declared = fields[name]
        if declared.default_factory is not None:
            continue  # depends on the machine, told in words
        value = declared.default
        shown = str(value.relative_to(PROJECT)) if isinstance(value, Path) else str(value)
        assert default == (f"`{shown}`" if shown else "(empty)"), name
        assert meaning == declared.description, name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_setting_named_exists(name: str) -> None:
    known = {f"CLIENTELE_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"CLIENTELE_[A-Z_]+", Document(name).text)) <= known


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_path_and_link_exists(name: str) -> None:
    document = Document(name)
    for link in document.links():
        target, _, anchor = link.partition("#")
        path = (document.path.parent / target).resolve() if target else document.path
        assert path.exists(), f"{name}: {link}"
        if anchor:
            assert anchor in Document(str(path.relative_to(PROJECT))).anchors(), f"{name}: {link}"
    for path_name in document.paths():
        assert list(PROJECT.glob(path_name.rstrip("/"))), f"{name}: {path_name}"


def test_each_file_in_the_loaders_map_exists() -> None:
    for cells in Document("dagster_project/README.md").table_below("Where to look"):
        for name in re.findall(r"`([\w/]+\.py)`", cells[1]):
            assert (PROJECT / "dagster_project" / name).exists(), name


def test_each_make_target_named_exists() -> None:
    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in listed.splitlines()}
    for name in DOCUMENTS:
        document = Document(name)
        named = re.findall(r"^make ([a-z]+)$", "\n".join([*document.commands(), *document.inline()]), re.MULTILINE)
        assert set(named) <= targets, f"{name}: {set(named) - targets}"


def test_no_command_is_shown_that_no_test_knows() -> None:
    # test_basket_source runs the awk
    known = (*HEADLINES, *MAKE_ONLY_NAMED, "clientele ", "CLIENTELE_", "export CLIENTELE_", "awk -F, ")
    for name in DOCUMENTS:
        unknown = [line for line in Document(name).commands() if not line.startswith(known)]
        assert not unknown, f"{name}: {unknown}"


def test_the_source_keys_described_are_the_source_keys_there_are() -> None:
    from dagster_project.landing.csv_options import Csv
    from dagster_project.landing.source import Feed, Source

    described = set(re.findall(r"^\| `(\w+)` \|", SOURCES.text, re.MULTILINE))
    keys = {field.alias or name for model in (Source, Feed) for name, field in model.model_fields.items()}
    assert described == keys - {"source"}
    csv = SOURCES.text.split("`csv` has ", maxsplit=1)[1].split("\n", maxsplit=1)[0]
    for name, field in Csv.model_fields.items():
        assert f"`{name}`" in csv
        texts = field.default if isinstance(field.default, tuple) else (field.default,)
        assert all(f"`{text}`" in csv for text in texts if text)


def test_the_example_sources_are_valid(tmp_path: Path) -> None:
    from dagster_project.landing.source import read_source

    examples = [block for block in SOURCES.blocks("yaml") if block.startswith("name:")]
    (tmp_path / "shop").mkdir()
    feeds = []
    for example in examples:
        (tmp_path / "shop" / "source.yml").write_text(example, encoding="utf-8")
        feeds.append(set(read_source(tmp_path / "shop" / "source.yml").feeds))
    assert feeds == [{"order_lines"}, {"order_lines", "customers"}]


def test_the_grains_listed_are_the_views_there_are(loaded: Installation) -> None:
    views = loaded.sql("select view_name from duckdb_views() where schema_name = 'cube' and not internal")
    (listed,) = re.findall(r"`cube\.sales_by_<grain>`: (.*?); and `cube\.sales_total`", README.text)
    grains = [f"sales_by_{grain}" for grain in re.findall(r"`(\w+)`", listed)]
    declared = [name for (name,) in views if name.startswith("sales_by_") or name == "sales_total"]
    assert sorted([*grains, "sales_total"]) == sorted(declared)


def test_the_changelog_lists_the_tables_there_are(loaded: Installation) -> None:
    tables = loaded.sql(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()"
    )
    listed = set(re.findall(r"^\| `(\w+\.\w+)` \|", Document("CHANGELOG.md").text, re.MULTILINE))
    assert listed == {name for (name,) in tables}


def test_the_queries_a_load_suggests_answer(loaded: Installation) -> None:
    from dagster_project.cli.load import HINTS

    for table, query in HINTS.items():
        if loaded.sql(f"select count(*) > 0 from {table}") == [(True,)]:
            assert loaded.sql(query), query
