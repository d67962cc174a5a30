"""`clientele erase`: take the personal data of a customer out of every file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dagster_project.cli.output import AsJson, console, errors, print_json
from dagster_project.settings import settings
from dagster_project.warehouse.ledger import Ledger
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.recovery import recover
from dagster_project.warehouse.releases import Releases


def erase(
    customer: Annotated[str, typer.Argument(help="customer_id or customer_durable_key of star.dim_customer.")],
    source_system: Annotated[str | None, typer.Option(help="The system, if several have that customer_id.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the files that would be rewritten.")] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Let the person land again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a customer's personal data: landing, quarantine, kept releases. It can't be undone.

    The customer's purchases stay, under the pseudonym. A later delivery of the person lands without values.
    """
    from dagster_project.warehouse import erasure

    found = settings()
    if not (yes or dry_run or as_json):
        typer.confirm(
            f"{'Lift the erasure' if lift else 'Erase all personal data'} of customer {customer}?", abort=True
        )
    lock = WriterLock(found.home)
    lock.acquire(purpose="erasure")
    try:
        recover(found, Ledger(found.ledger), Releases(found.releases, found.warehouse))
        finished = erasure.finish_pending(found)
        done = (
            erasure.lift(found, customer, source_system)
            if lift
            else erasure.erase(found, customer, source_system, dry_run=dry_run)
        )
    finally:
        lock.release()
    if not dry_run and found.pg_dsn.get_secret_value():
        from dagster_project.serving.follow import follow

        follow(found, lambda line: errors.print(line, markup=False))
    if as_json:
        print_json(asdict(done) | {"dry_run": dry_run, "lifted": lift})
        return
    for line in finished:
        console.print(line, markup=False)
    if lift:
        console.print("Lifted: values land again with the next change of the person's row.")
        return
    console.print(f"{len(done.files)} files {'would be' if dry_run else 'were'} rewritten:")
    for file in done.files:
        console.print(f"  {file}", markup=False)
