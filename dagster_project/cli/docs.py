"""`clientele docs`: the served release documented as static pages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, print_json
from dagster_project.settings import settings


def docs(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder to write to. Default: docs of the home.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the documentation of the served release: metrics, feeds, lineage, tables, and quality over all loads.

    Static pages that need neither a server nor a network: open index.html, or let a web server show the folder.

    Example: clientele docs public
    """
    from dagster_project.serving.site.pages import write_site

    written = write_site(settings(), folder or settings().home / "docs")
    if as_json:
        print_json({"docs": str(written.absolute())})
    else:
        console.print(f"Documentation: {written.absolute()}", markup=False, soft_wrap=True)
