"""`clientele up`: Dagster's web UI and daemon, on loopback."""

from __future__ import annotations

import os
import signal
import socket
import sys
from ipaddress import ip_address
from typing import Annotated

import typer

from dagster_project.cli.output import console
from dagster_project.dagster_instance import home
from dagster_project.errors import ClienteleError
from dagster_project.settings import PROJECT, settings


def up(
    port: Annotated[int | None, typer.Option(help="Port. Default: CLIENTELE_PORT (3000).")] = None,
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "127.0.0.1",
    without_password: Annotated[
        bool, typer.Option("--without-password", help="Bind to an address others reach, although the UI asks nobody.")
    ] = False,
) -> None:
    """Start Dagster's web UI and daemon: assets, checks, schedule, sensor, and every run so far.

    Stops with Ctrl-C or SIGTERM. The nightly schedule runs while this does (CLIENTELE_SCHEDULE, CLIENTELE_TIMEZONE).
    """
    chosen = port or settings().port
    if not (without_password or ip_address(socket.gethostbyname(host)).is_loopback):
        raise ClienteleError(
            f"{host} can be reached by others, and Dagster's web UI has no password: who sees it can start loads",
            remedy="keep it on 127.0.0.1 behind a proxy that asks for a password, or add --without-password",
        )
    check_free(host, chosen)
    home()
    console.print(f"Dagster: http://{host}:{chosen}  (Ctrl-C stops it)")
    sys.stdout.flush()
    command = [sys.executable, "-m", "dagster", "dev", "-m", "dagster_project.definitions"]
    os.chdir(PROJECT)
    # Dagster stops on SIGTERM as it does on SIGINT, which a script that started us in the background has ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.executable, [*command, "-h", host, "-p", str(chosen)])  # noqa: S606 - fixed arguments, no shell


def check_free(host: str, port: int, command: str = "clientele up") -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ClienteleError(
                f"{host}:{port} can't be listened on: {error.strerror}",
                remedy=f"stop what runs there (another `{command}`?), or choose another: {command} --port PORT",
            ) from None
