"""`clientele report`: what the served release says, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json
from dagster_project.settings import settings


def report(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: report.html of the home.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write last night's load, quality, sales, customers and campaigns into one HTML file.

    It needs no network: charts, tables and their SQL are in it, for the screen, the phone and paper.

    Example: clientele report --output monday.html
    """
    from dagster_project.serving.report.page import write_report

    written = write_report(settings(), output)
    if as_json:
        print_json({"report": str(written.absolute())})
    else:
        console.print(f"Report: {written.absolute()}", markup=False, soft_wrap=True)
