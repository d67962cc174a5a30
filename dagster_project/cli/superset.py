"""`clientele superset`: Apache Superset over the store, with the project's datasets and dashboards."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from dagster_project.cli.output import console, errors
from dagster_project.settings import settings


def superset(
    port: Annotated[int | None, typer.Option(help="Port. Default: CLIENTELE_SUPERSET_PORT (8088).")] = None,
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "127.0.0.1",
    prepare_only: Annotated[
        bool, typer.Option("--prepare-only", help="Bring datasets and dashboards up to date, and start nothing.")
    ] = False,
) -> None:
    """Start Apache Superset: both ways to the warehouse connected, datasets with words and metrics, dashboards.

    Needs `make superset-install`, the PostgreSQL store (CLIENTELE_PG_DSN, `clientele serve sync`) and
    CLIENTELE_SUPERSET_PASSWORD, the password of its user `admin`. Stops with Ctrl-C or SIGTERM.
    """
    from dagster_project.cli.up import check_free
    from dagster_project.serving.superset.server import command, environment, prepare

    chosen = port or settings().superset_port
    if not prepare_only:
        check_free(host, chosen, "clientele superset")
    made = prepare(settings(), tell=lambda line: errors.print(line, markup=False))
    counted = {kind: sum(name.startswith(f"{kind}/") for name in made) for kind in ("datasets", "charts", "dashboards")}
    console.print(f"In place: {', '.join(f'{count} {kind}' for kind, count in counted.items())}")
    if prepare_only:
        return
    console.print(f"Superset: http://{host}:{chosen}  user admin  (Ctrl-C stops it)")
    sys.stdout.flush()
    started = command(host, chosen)
    os.execve(started[0], started, environment(settings()))  # noqa: S606 - fixed arguments, no shell
