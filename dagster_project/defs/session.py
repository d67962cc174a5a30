"""The load session: one a run, shared by its steps; takes the writer's lock and closes the load."""

import contextlib
from collections.abc import Callable, Generator
from datetime import date

import dagster as dg
from pydantic import PrivateAttr

from dagster_project import progress
from dagster_project.defs.killed import close_runs_of_killed_loads
from dagster_project.errors import ClienteleError
from dagster_project.settings import Settings, settings, yesterday
from dagster_project.spark.store import SparkStore
from dagster_project.warehouse.ledger import Ledger
from dagster_project.warehouse.load import Load
from dagster_project.warehouse.releases import DUCKDB, SPARK
from dagster_project.warehouse.request import Request
from dagster_project.warehouse.store import DuckStore, Store

RANGE_END = "dagster/asset_partition_range_end"
PARTITION = "dagster/partition"


class LoadSession(dg.ConfigurableResource):  # type: ignore[type-arg]
    """How this load differs from an ordinary night; the load date is the run's partition."""

    target: str = DUCKDB
    rebuild: bool = False
    as_of: str = ""
    lookback_days: int = -1
    accept_deletes: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    resume: bool = False
    skip: list[str] = []  # noqa: RUF012
    wait: int = settings().lock_wait

    _load: Load | None = PrivateAttr(default=None)

    @property
    def load(self) -> Load:
        if self._load is None:
            raise RuntimeError("the session is open only while a run executes")
        return self._load

    def request(self, tags: dict[str, str]) -> Request:
        key = tags.get(RANGE_END) or tags.get(PARTITION)
        return Request(
            load_date=date.fromisoformat(key) if key else yesterday(settings().timezone),
            rebuild=self.rebuild,
            as_of=self.as_of or None,
            lookback_days=self.lookback_days if self.lookback_days >= 0 else None,
            accept_deletes=frozenset(self.accept_deletes),
            resume=self.resume,
            skip=tuple(self.skip),
            wait=self.wait,
        )

    def engine(self) -> Callable[[Settings, str, Ledger], Store]:
        """What the load builds on.

        Raises:
            ClienteleError: the engine can't do what was asked.
        """
        if self.target != SPARK:
            return DuckStore
        if self.as_of:
            raise ClienteleError(
                "an as-of build is a DuckDB file",
                remedy="leave out --target spark: landing is the same for both engines",
            )
        return SparkStore

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["LoadSession", None, None]:
        run = context.run
        try:
            request = self.request(dict(run.tags) if run else {})
            load = Load.start(settings(), request, run.run_id if run else "", self.engine())
        except ClienteleError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        self._load = load
        try:
            for line in load.recovered:
                progress.tell("note", line)
            if context.instance and run:
                close_runs_of_killed_loads(context.instance, load.ledger, run.run_id)
            yield self
        finally:
            load.finish()
            self._load = None

    def fail(self, error: ClienteleError) -> dg.Failure:
        """Note why the load fails and make it the step's failure."""
        self.load.message = str(error)
        return dg.Failure(description=str(error), allow_retries=False)
