"""`clientele serve`: the PostgreSQL store that analysts and BI tools connect to."""

from __future__ import annotations

from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, errors, print_json, table
from dagster_project.settings import settings

app = typer.Typer(
    help="The PostgreSQL store (CLIENTELE_PG_DSN): make its roles, send what changed, compare both sides.",
    no_args_is_help=True,
)


@app.command()
def init(as_json: AsJson = False) -> None:
    """Make schemas and the roles `analyst` and `steward`.

    Run it as the owner of the database, once, and again to change a password. Passwords come from
    CLIENTELE_PG_ANALYST_PASSWORD and CLIENTELE_PG_STEWARD_PASSWORD.
    """
    from dagster_project.serving import access
    from dagster_project.serving.postgres import open_store

    with open_store(settings()) as store:
        made = access.init(store, settings())
    if as_json:
        print_json({"roles": made})
    else:
        console.print(f"Roles: {', '.join(made)}. They read, and nothing else.\nNext: clientele serve sync")


@app.command("sync")
def sync_(
    full: Annotated[bool, typer.Option("--full", help="Send every row again, whatever the store holds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send what the store lacks of the served release, in one transaction. A load does so after its publish."""
    from dagster_project.serving.follow import note
    from dagster_project.serving.sync import sync

    done = sync(settings(), full=full, tell=lambda line: None if as_json else errors.print(line, markup=False))
    note(settings(), release=done.release)
    if as_json:
        print_json(done.as_record())
        return
    changed = len(done.made_anew) + len(done.changed)
    console.print(
        f"The store holds release {done.release} of {done.load_date}: {done.tables} tables, {changed} of them changed,"
        f" {done.rows_sent:,} rows sent in {done.seconds:.1f} s"
    )


@app.command()
def status(as_json: AsJson = False) -> None:
    """Compare what is served with what the store holds. Exit code 1 if it lags, or holds other rows than were sent."""
    from dagster_project.serving.follow import compare

    found = compare(settings())
    if as_json:
        print_json(found)
    else:
        console.print(f"[bold]Served[/bold]: release {found['served'] or 'none'} of {found['served_load_date'] or '-'}")
        console.print(
            f"[bold]Store[/bold]:  release {found['store'] or 'none'} of {found['store_load_date'] or '-'},"
            f" since {found['synced_at'] or '-'} UTC\n"
        )
        table("Tables", found["tables"])
        if not found["up_to_date"]:
            errors.print("The store lags: clientele serve sync", style="yellow")
        if not found["whole"]:
            errors.print("Rows are missing or too many: clientele serve sync --full", style="yellow")
    raise typer.Exit(0 if found["up_to_date"] and found["whole"] else 1)
