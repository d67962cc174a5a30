"""What is generated from the contract: the canonical views of the dbt project and docs/feeds.md."""

from __future__ import annotations

import json
from pathlib import Path

from dagster_project.contract.contract import LEADING, CanonicalFeed, Contract, Shape

MARK = "Generated from sources/contract.yml by `python -m dagster_project.contract`"


def generated(contract: Contract) -> dict[Path, str]:
    """Path within the project -> text of every generated file."""
    files = {Path("docs/feeds.md"): _document(contract)}
    for feed in contract.feeds.values():
        folder = Path("dbt/models/canonical")
        files[folder / f"{feed.name}.sql"] = _model(feed)
        files[folder / f"{feed.name}.yml"] = _properties(feed)
    return files


def write(contract: Contract, project: Path) -> list[Path]:
    """(Re)write the generated files; views of feeds no longer in the contract go. Returns what changed."""
    wanted = {project / path: text for path, text in generated(contract).items()}
    changed = []
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    for path in strays(contract, project):
        path.unlink()
        changed.append(path)
    return changed


def strays(contract: Contract, project: Path) -> list[Path]:
    """Files among the canonical views that the contract does not ask for."""
    wanted = {project / path for path in generated(contract)}
    return sorted(set((project / "dbt/models/canonical").glob("*")) - wanted)


def _model(feed: CanonicalFeed) -> str:
    grain = "One row per landed change" if feed.shape is Shape.LIST else "One row per landed version of an event"
    return (
        f"-- {feed.description}\n-- {grain}; key: {', '.join(feed.key)}.\n-- {MARK}.\n{{{{ united('{feed.name}') }}}}\n"
    )


def _properties(feed: CanonicalFeed) -> str:
    lines = [
        f"# {MARK}.",
        "models:",
        f"  - name: {feed.name}",
        f"    description: {_quoted(feed.description)}",
        "    columns:",
    ]
    for name, column in feed.view.items():
        lines += [
            f"      - name: {name}",
            f"        description: {_quoted(column.description)}",
            f"        data_type: {column.type}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A YAML scalar: JSON strings are."""
    return json.dumps(text, ensure_ascii=False)


def _document(contract: Contract) -> str:
    lines = [
        "# Canonical feeds",
        "",
        f"<!-- {MARK}. -->",
        "",
        "What the warehouse understands: a source's staging models fill these feeds, the star reads nothing else.",
        "A feed that no enabled source fills is an empty view; what rests on it is not measured",
        "(`clientele catalog`). Moments are UTC, days are local to the source.",
        "",
        "Columns marked *personal* land apart and live in `pii.duckdb`; they are in no view and not in the warehouse.",
        "",
        "Every feed begins with:",
        "",
    ]
    for shape in Shape:
        lines.append(f"- {shape.value}: {', '.join(f'`{name}`' for name in LEADING[shape])}")
    for feed in contract.feeds.values():
        dated = f", dated by `{feed.date}`" if feed.date else ""
        lines += [
            "",
            f"## {feed.name}",
            "",
            feed.description,
            "",
            f"{feed.data_class.value.capitalize()} {feed.shape.value}{dated}; key: "
            + ", ".join(f"`{name}`" for name in feed.key)
            + ".",
            "",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{name}` | {column.type} | {'*personal* ' if column.pii else ''}{column.description} |"
            for name, column in feed.columns.items()
        ]
    return "\n".join(lines) + "\n"
