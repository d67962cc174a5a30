"""results.json and the report written from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS, REPORT = "results.json", "REPORT.md"
INTRODUCTION = """# How fast it is

Written by `python -m benchmarks` (`make bench`); the figures are in `results.json`. Every ratio compares two things
measured in turns on the same machine (A B A B ...), each a fresh process whose wall time, CPU time and peak resident
memory the kernel counted. Absolute seconds are this machine's; the ratios are what to compare."""


def write(folder: Path, parts: Mapping[str, dict[str, Any]]) -> str:
    """Put the parts measured now in the place of their last results and write the report.

    Args:
        parts: by name, what a part found, with the machine it ran on.

    Returns:
        The report's text.
    """
    path = folder / RESULTS
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    results = {**known, **parts}
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = render(results)
    (folder / REPORT).write_text(text, encoding="utf-8")
    return text


def render(parts: Mapping[str, dict[str, Any]]) -> str:
    """The report as Markdown."""
    chapters = [INTRODUCTION, "## Promises", _table(_promises(parts))]
    for part in parts.values():
        chapters.append(f"## {part['title']}")
        chapters.append(_measured_on(part["machine"], part["repeat"]))
        chapters += [f"- {remark}" for remark in part["remarks"]]
        for table in part["tables"]:
            chapters += [f"**{table['caption']}**", _table(table["rows"])]
    return "\n\n".join(chapters).replace("\n\n- ", "\n- ") + "\n"


def _promises(parts: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "promise": bound["name"],
            "measured": f"{bound['value']:g}{bound['unit']}",
            "at most": f"{bound['bound']:g}{bound['unit']}",
            "goal": f"{bound['goal']:g}{bound['unit']}" if bound["goal"] else "",
            "held": "yes" if bound["held"] else "**NO**",
        }
        for part in parts.values()
        for bound in part["bounds"]
    ]


def _measured_on(machine: Mapping[str, Any], repeat: int) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    settings = "".join(f", {name}={value}" for name, value in machine["settings"].items())
    return (
        f"Measured {machine['measured_at']} at commit {machine['commit']}, {repeat} times each, on"
        f" {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['file_system']},"
        f" {machine['system']}{settings}; {versions}."
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "(none)"
    heads = list(rows[0])
    right = [all(_is_number(row[head]) for row in rows) for head in heads]
    lines = [heads, ["---:" if number else "---" for number in right]]
    lines += [[_shown(row[head]) for head in heads] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
