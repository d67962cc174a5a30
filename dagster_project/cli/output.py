"""What commands print: tables for people, one JSON document for machines, errors on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dagster_project.errors import ClienteleError


class _Errors(Console):
    """Words beside the work: where nobody reads them any more (`| head`, a closed terminal), the work goes on.

    Rich would end the thread that prints, and take stdout away: dbt waited for such a thread of its own for ever.
    """

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


# A pipe or a log file has no width; a table folded to 80 columns can't be read there.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
errors = _Errors(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")


def fail(error: ClienteleError, *, as_json: bool) -> None:
    if as_json:
        print_json({"error": error.message, "remedy": error.remedy})
    else:
        errors.print(f"error: {error.message}", style="red", markup=False)
        if error.remedy:
            errors.print(f"  -> {error.remedy}", markup=False)


def table(title: str, rows: Sequence[Mapping[str, Any]], columns: Iterable[str] = ()) -> None:
    """Print records as a table; numbers stand right with thousands separated. Nothing for no rows."""
    if not rows:
        return
    names = list(columns) or list(rows[0])
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in names:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in rows:
        drawn.add_row(*(_shown(row.get(name)) for name in names))
    console.print(drawn)
    console.print()


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return str(value).replace("[", "\\[")
