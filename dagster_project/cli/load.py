"""`clientele load`: run the nightly job in this process, with progress, and sum up what happened."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from dagster_project import progress
from dagster_project.cli.output import AsJson, console, errors, print_json, table
from dagster_project.errors import ClienteleError
from dagster_project.settings import Settings, settings, yesterday

# Table -> a query to try where it has rows; the first three that fit are shown
HINTS = {
    "cube.sales_month_grains": "select period, net_sales, units from cube.sales_by_month order by period",
    "cube.sales_grains": "select department, net_sales from cube.sales_by_department order by net_sales desc limit 10",
    "mart.mart_campaign": "select campaign_id, people_contacted, people_held_out, responders from mart.mart_campaign",
    "mart.mart_churn": "select * from mart.mart_churn order by 1, 2 limit 10",
    "star.dim_customer": "select country, count(*) from star.dim_customer where is_current group by 1 order by 2 desc",
    "ops.reconciliation": "select * from ops.reconciliation order by load_id desc limit 10",
}
SHOWN_HINTS = 3
IN_WORDS = "clientele cube query sales --by product.department --order -net_sales --limit 5"


class Target(StrEnum):
    """Engines; see docs/scale.md for when the second pays."""

    DUCKDB = "duckdb"
    SPARK = "spark"


def load(
    day: Annotated[
        str | None,
        typer.Option("--date", help="Last day to take, YYYY-MM-DD. Default: yesterday, which takes all there is."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Backfill: mark every date from here to --date, in one run.")
    ] = None,
    target: Annotated[Target, typer.Option(help="Engine that builds and serves; landing is the same for both.")] = (
        Target.DUCKDB
    ),
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build every table anew from landing.")] = False,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Rebuild what was known after that load, beside the releases.", metavar="LOAD"),
    ] = None,
    lookback: Annotated[
        int | None,
        typer.Option(help="Read append feeds this many days back instead of what they declare.", min=0),
    ] = None,
    accept_deletes: Annotated[
        list[str] | None,
        typer.Option(help="Let this snapshot feed lose any number of keys, this once.", metavar="SOURCE.FEED"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Apply loads withheld by a rollback again.")] = False,
    skip: Annotated[list[str] | None, typer.Option(help="Leave a withheld load out for good.", metavar="LOAD")] = None,
    wait: Annotated[int, typer.Option(help="Seconds to wait while another load runs.", min=0)] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the summary.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take in what is new, check it, build the warehouse, prove it and publish it.

    Runs the same Dagster job as the schedule. Running it again changes nothing; a load that was killed is
    finished by the next one.

    Examples:

      clientele load                      everything up to yesterday

      clientele load --date 2017-03-01    the world as it was at the end of that day

      clientele load --rebuild            all tables anew from what has landed
    """
    chosen = _date("--date", day) or yesterday(settings().timezone)
    first = _date("--from", start)
    _check_dates(chosen, first)
    config = {
        "target": target.value,
        "rebuild": rebuild,
        "as_of": as_of or "",
        "lookback_days": -1 if lookback is None else lookback,
        "accept_deletes": accept_deletes or [],
        "resume": resume,
        "skip": skip or [],
        "wait": wait,
    }
    report = run_load(chosen, first, config, quiet=quiet or as_json)
    if as_json:
        print_json(report)
    else:
        summarize(report)
    raise typer.Exit(0 if report["status"] in {"published", "unchanged"} else 1)


def _date(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write YYYY-MM-DD", param_hint=option) from None


def _check_dates(chosen: date, first: date | None) -> None:
    earliest, latest = settings().first_date, yesterday(settings().timezone)
    for option, value in (("--date", chosen), ("--from", first)):
        if value and not earliest <= value <= latest:
            raise typer.BadParameter(
                f"{value} is outside {earliest} (CLIENTELE_FIRST_DATE) to {latest}, the last day that is over",
                param_hint=option,
            )
    if first and first > chosen:
        raise typer.BadParameter(f"{first} is after --date {chosen}", param_hint="--from")


def run_load(chosen: date, first: date | None, config: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Execute the job in this process; returns the load's report.

    Raises:
        ClienteleError: the load could not start (another one runs, a wrong request).
    """
    from concurrent.futures import ThreadPoolExecutor

    from dagster_project.quality.worker import gate_worker
    from dagster_project.warehouse.lock import WriterLock

    started = time.perf_counter()
    _die_at_once_on_signals()
    if not quiet:
        errors.print(f"clientele load of {chosen} (home {settings().home})", markup=False)
        progress.listen(_Progress(started))
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    WriterLock(settings().home).acquire(config["wait"], f"load of {chosen}")
    gate_worker().start()
    # In the main thread Dagster would replace the signal handlers for as long as the job runs.
    with ThreadPoolExecutor(max_workers=1) as thread:
        result = thread.submit(_execute, chosen, first, config).result()
    return _report(settings(), result, time.perf_counter() - started)


def _execute(chosen: date, first: date | None, config: dict[str, Any]) -> Any:
    """Run the job; the writer's lock is held until this process ends."""
    from dagster_project.dagster_instance import REPOSITORY_TAG, instance

    with instance() as dagster:
        from dagster_project.definitions import defs
        from dagster_project.defs.killed import COMMAND_LINE, STARTED_BY

        job = defs.resolve_job_def("nightly_load")
        tags = {STARTED_BY: COMMAND_LINE} | REPOSITORY_TAG
        if first:
            tags |= {
                "dagster/asset_partition_range_start": first.isoformat(),
                "dagster/asset_partition_range_end": chosen.isoformat(),
            }
        return job.execute_in_process(
            instance=dagster,
            partition_key=None if first else chosen.isoformat(),
            tags=tags,
            run_config={
                "resources": {"session": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            raise_on_error=False,
        )


def _report(found: Settings, result: Any, seconds: float) -> dict[str, Any]:
    from dagster_project.warehouse.ledger import Ledger
    from dagster_project.warehouse.load import BROKE_OFF
    from dagster_project.warehouse.report import load_report

    ledger = Ledger(found.ledger)
    for load_id in reversed(ledger.loads()):
        if ledger.load(load_id).get("run_id") == result.run_id:
            report = load_report(found, load_id)
            if report["message"] == BROKE_OFF and (told := _failures(result)):
                report["message"] = f"{report['message']}\n{told}".strip()
            return report | {"run_id": result.run_id, "seconds": round(seconds, 2)}
    message, _, remedy = _failures(result).partition("\n  -> ")
    raise ClienteleError(message or "the load could not start", remedy=remedy or "see `clientele status`")


def _failures(result: Any) -> str:
    """What Dagster knows of why steps failed; a defect's own message, a failure's description."""
    from dagster_project.defs.nightly import reason_of

    told = []
    for event in result.all_events:
        data = event.event_specific_data
        if event.is_step_failure and not data.user_failure_data and data.error:
            told.append((data.error.cause or data.error).to_string())
        elif event.is_failure and not event.is_step_failure and getattr(data, "error", None):
            told.append(reason_of(data.error))
    return "\n".join(dict.fromkeys(told))  # a defect in landing meets every feed


def _die_at_once_on_signals() -> None:
    """Ctrl-C and SIGTERM end the process as kill -9 would, which every stage survives.

    A KeyboardInterrupt inside dbt's threads waits for its queries, or aborts in C++ (exit code 134).
    """

    def stop(number: int, _frame: Any) -> None:
        try:
            sys.stderr.write("\nstopped: the served release is unchanged, the next load finishes this one\n")
            sys.stderr.flush()
        finally:  # nobody may be reading
            os._exit(128 + number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    # dbt's locks start Python's resource tracker, which would complain on stderr after we are gone
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker:UserWarning"


class _Progress:
    """Lines on stderr with the time since the start; one moving line for dbt's nodes on a terminal."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.nodes = 0

    def __call__(self, kind: str, text: str) -> None:
        since = f"{timedelta(seconds=int(time.perf_counter() - self.started))!s:>8}"
        if kind == "node":
            self.nodes += 1
            if errors.is_terminal:
                errors.print(
                    f"{since}    {self.nodes} {text}"[: errors.width - 1].ljust(errors.width - 1),
                    end="\r",
                    markup=False,
                )
            elif self.nodes % 25 == 0:
                errors.print(f"{since}    {self.nodes} models and tests done", markup=False)
        elif kind != "feed" or errors.is_terminal:
            errors.print(f"{since}  {'landing ' if kind == 'feed' else ''}{text}", markup=False)


def summarize(report: dict[str, Any]) -> None:
    """Print the summary of a load."""
    feeds = [{k: v for k, v in row.items() if k != "message"} for row in report["feeds"]]
    console.print()
    table("Feeds", feeds)
    checks = report["checks"]
    console.print(f"[bold]Checks on batches and tables[/bold]: {checks['passed']} passed, {checks['failed']} failed")
    if (docs := settings().home / "quality" / "docs" / "index.html").exists():
        console.print(f"  each rule and its result: {docs}", markup=False, soft_wrap=True)
    for check in checks["broken"]:
        console.print(f"  {check['severity']}: {check['message']}", markup=False)
    for row in report["feeds"]:
        if row["message"]:
            console.print(f"  {row['feed']}: {row['message']}", markup=False)
    console.print()
    shown = [{"table": name, "rows": rows} for name, rows in report["tables"].items() if not name.startswith("ops.")]
    table("Tables", shown)
    table("Reconciliation (feed = fact = cube)", report["reconciliation"]["measures"])
    stages = sorted(report["stages"], key=lambda row: -row["seconds"])
    table("Seconds per stage", [row for row in stages if row["seconds"] >= 0.05])
    _outcome(report)


def _hints(rows: dict[str, int]) -> list[str]:
    """Queries that have something to say, that of the reconciliation always."""
    *others, last = [query for table, query in HINTS.items() if rows.get(table)] or [HINTS["ops.reconciliation"]]
    return [*others[: SHOWN_HINTS - 1], last]


def _outcome(report: dict[str, Any]) -> None:
    status, release = report["status"], report["release"]
    if status == "published" or (status == "partial" and release):
        size = (report["file_bytes"] or 0) / 1e6
        console.print(f"[bold]Published[/bold] release {release} ({size:,.0f} MB) in {report['seconds']:.0f} s")
        if report["rebuilt"] not in {"", "all"}:
            console.print(f"Rebuilt, because their models changed: {report['rebuilt']}")
        if report["kind"] == "as-of":
            console.print(f"Built beside the releases: {settings().home / 'as_of'}", markup=False)
        if report["engine"] == Target.SPARK:
            console.print("Read it on Spark: databases star, cube and ops; compare it with: clientele parity")
            return
        console.print(f"Open it read-only with any DuckDB client: {report['warehouse'] or settings().warehouse}")
        if settings().report.exists():
            console.print(f"The night on one page: {settings().report}", markup=False, soft_wrap=True)
        console.print('\nThree queries to try next (clientele sql "..."):')
        for query in _hints(report["tables"]):
            console.print(f'  clientele sql "{query}"', markup=False, soft_wrap=True)
        if report["tables"].get("cube.sales_grains"):
            console.print(f"Or in words (clientele cube list):\n  {IN_WORDS}", markup=False, soft_wrap=True)
    elif status == "unchanged":
        console.print(f"[bold]Nothing new[/bold] for {report['load_date']}: the served release stays as it is.")
    if status == "partial":
        errors.print("PARTIAL: the feeds marked failed brought nothing; everything else was loaded", style="yellow")
    if status == "failed":
        errors.print("FAILED: not published, the last release stays served", style="red")
        errors.print(report["message"], markup=False)
    sys.stdout.flush()
