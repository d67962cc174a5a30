"""The command line: `clientele COMMAND`. Exit codes: 0 ok, 1 failed or partial, 2 wrong usage."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import shutil
import sys
import traceback

import typer

from dagster_project.cli import (
    catalog,
    cube,
    customer,
    docs,
    doctor,
    erase,
    export,
    fit,
    landing,
    load,
    parity,
    quarantine,
    release,
    report,
    serve,
    source,
    sql,
    status,
    superset,
    up,
)
from dagster_project.cli.output import fail
from dagster_project.errors import ClienteleError
from dagster_project.settings import settings

app = typer.Typer(
    name="clientele",
    help="The customer data warehouse that is ready by morning.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("load")(load.load)
app.command("status")(status.status)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(release.app, name="release")
app.add_typer(serve.app, name="serve")
app.command("export")(export.export)
app.command("report")(report.report)
app.command("docs")(docs.docs)
app.command("fit")(fit.fit)
app.command("parity")(parity.parity)
app.command("catalog")(catalog.catalog)
app.add_typer(cube.app, name="cube")
app.command("sql")(sql.sql)
app.add_typer(landing.app, name="landing")
app.add_typer(source.app, name="source")
app.add_typer(customer.app, name="customer")
app.command("up")(up.up)
app.command("superset")(superset.superset)
app.command("erase")(erase.erase)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run a command and end the process with its exit code.

    Taking the interpreter down object by object costs 1.5 s after a load (dagster, dbt and great_expectations are
    in memory) and lets DuckDB's bindings print leak notices; so exit handlers run, and that is all.
    """
    code = _run()
    atexit._run_exitfuncs()
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _run() -> int:
    """The exit code of the command asked for; an error of the family becomes one message, never a traceback."""
    try:
        app()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except ClienteleError as error:
        fail(error, as_json="--json" in sys.argv)
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001 - what is no full disk is a defect and shown as one
        if not _is_full_disk(error):
            traceback.print_exc()
            return 1
        remedy = "free space on the disk of CLIENTELE_HOME (`clientele doctor` shows it), then: clientele load"
        told = f"the disk is full ({error}); the last release stays served, nothing that landed is lost"
        fail(ClienteleError(told.replace("\n", " "), remedy=remedy), as_json="--json" in sys.argv)
    return 1


def _is_full_disk(error: BaseException | None) -> bool:
    """Whoever writes says it in its own way: the system, DuckDB, or SQLite under Dagster's events."""
    while error is not None:
        said = str(error).lower()
        if getattr(error, "errno", None) == errno.ENOSPC or "no space left" in said or "disk is full" in said:
            return True
        # SQLite that can't even extend its shared memory blames the device
        if "disk i/o error" in said and shutil.disk_usage(settings().home).free < 1_000_000:
            return True
        error = error.__cause__ or error.__context__
    return False


if __name__ == "__main__":
    main()
