"""Great Expectations on DuckDB: the one module that knows how to make the two work together.

- GX 1.24 closes its connection before it fetches, and DuckDB's results die with the connection
  (`list index out of range`). GX has a private list of dialects whose connection it keeps;
  `_keep_connection` adds DuckDB to it. `tests/integration/quality/test_quality_engine.py` fails on the
  release that makes this needless.
- The database is an in-memory one with a name: GX opens two SQLAlchemy engines on it, which must
  see the same views, and no file is held, so a later `duckdb.connect` to any file isn't blocked.
- Import, context and data source cost 2.2-2.9 s; one engine a process serves all feeds.
- One pass gives all counts of a suite (result format BASIC with no sample values), in one
  aggregate query: 10 rules on 1.47M rows 0.13 s.
"""

import atexit
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.errors import ClienteleError
from dagster_project.quality.results import Severity
from dagster_project.quality.suite import Rule, Suite

# Great Expectations imports PySpark where that is installed, which warns of pandas 3; neither is used here.
warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")

_DATABASE = "clientele_gate"
VIEW = "batch"
"""Name of the view rules are evaluated on."""
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}
_WITH_ROW_QUERY = {
    **_COUNTS_ONLY,
    "return_unexpected_index_query": True,
    "unexpected_index_column_names": ["_row"],
}

_lock = threading.RLock()
_shared: list["GateEngine"] = []
"""The process's engine, once there is one."""


@dataclass(frozen=True)
class Judgement:
    """Great Expectations' verdict on one rule.

    Attributes:
        rule: the rule of the suite.
        success: whether it holds.
        result: GX's result dictionary: counts, and for aggregates an observed value.
        error: what went wrong if the rule couldn't be evaluated, without any row's values.
    """

    rule: Rule
    success: bool
    result: dict[str, Any]
    error: str | None = None


class GateEngine:
    """A Great Expectations context over one in-memory DuckDB. Use `shared_engine()`."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        os.environ["TQDM_DISABLE"] = "1"
        silence_exit_notices()
        import great_expectations as gx

        from dagster_project.quality import dialect, row_rule

        # GX logs what it also returns as a result; we raise or record that ourselves.
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
        _keep_connection()
        dialect.register()
        self._gx = gx
        self.row_rule = row_rule.ROW_RULE
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        self._source = self._context.data_sources.add_sql(
            "gate", connection_string=f"{dialect.URL_SCHEME}:///:memory:{_DATABASE}"
        )
        self._engine = self._source.get_execution_engine()
        self.run("SET autoinstall_known_extensions = false")
        self.open("SELECT 1 AS _row")
        # One asset for all feeds: adding and deleting one a feed cost 12 ms each time.
        asset = self._source.add_table_asset(VIEW, table_name=VIEW)
        self._batch = asset.add_batch_definition_whole_table("whole")

    def open(self, select: str) -> None:
        """Make a SELECT the batch that is judged next, under the name `VIEW`."""
        self.run(f"CREATE OR REPLACE VIEW {VIEW} AS {select}")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Execute SQL on the gate's database; rows if it returns any."""
        with self._engine.get_connection() as connection:
            cursor = connection.exec_driver_sql(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.returns_rows else []

    def validate(self, suite: Suite, *, row_queries: bool = False) -> tuple[list[Judgement], Any]:
        """Judge all rules of a suite on the open batch.

        Args:
            row_queries: also ask, per column rule, for the SQL that selects `_row` of the rows that
                break it (`result["unexpected_index_query"]`).

        Returns:
            Judgements in the order of the suite, and GX's own result object for Data Docs.
        """
        outcome = self._batch.get_batch().validate(
            self.gx_suite(suite), result_format=_WITH_ROW_QUERY if row_queries else _COUNTS_ONLY
        )
        by_rule = {r.expectation_config.meta["rule"]: r for r in outcome.results}
        return [_judgement(rule, by_rule[rule.meta.rule]) for rule in suite.expectations], outcome

    def gx_suite(self, suite: Suite) -> Any:
        """The suite as Great Expectations' object.

        Raises:
            Exception: whatever GX raises on an unknown type or argument; the gate turns it into an
                error that names the expectation.
        """
        return self._gx.ExpectationSuite(
            name=suite.name,
            expectations=[
                {
                    "type": rule.type,
                    "kwargs": rule.kwargs,
                    "meta": rule.meta.model_dump(mode="json"),
                    "description": rule.meta.why,
                    "severity": "critical" if rule.meta.severity is Severity.CRITICAL else "warning",
                }
                for rule in suite.expectations
            ],
        )

    def close(self) -> None:
        """Close both SQLAlchemy engines and free the in-memory database."""
        connection = self._engine._connection
        if connection is not None:
            connection.close()
        self._engine.engine.dispose()
        self._source.get_engine().dispose()


@contextmanager
def shared_engine() -> Iterator[GateEngine]:
    """The process's engine, for one caller at a time; made on first use (2.2-2.9 s)."""
    with _lock:
        if not _shared:
            _shared.append(GateEngine())
        yield _shared[0]


def warm_up() -> None:
    """Import Great Expectations and build the engine now, e.g. in a thread while feeds are read."""
    with shared_engine():
        return


def close_engine() -> None:
    """Dispose of the process's engine; the next check makes a new one (0.1 s, the import is kept)."""
    with _lock:
        while _shared:
            _shared.pop().close()


def silence_exit_notices() -> None:
    """Keep DuckDB 2.0's nanobind leak notices off the user's terminal.

    They are printed by C++ code while the interpreter is torn down, in processes that imported both
    duckdb_engine and Great Expectations (a bare import of the two is enough; other imports in
    between may make it go away). There is no switch from Python, so standard error is pointed at
    /dev/null once all exit handlers registered later have run: a program calls this early.
    """
    if not getattr(sys, "_clientele_silenced", False):
        sys._clientele_silenced = True  # type: ignore[attr-defined]
        atexit.register(_drop_stderr)


def _drop_stderr() -> None:
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


class _Dialect(str):
    """A dialect name as GX's enumeration gives it: text with a `value`."""

    @property
    def value(self) -> str:
        return str(self)


def _keep_connection() -> None:
    from great_expectations.execution_engine import sqlalchemy_execution_engine as module

    if "duckdb" not in module._PERSISTED_CONNECTION_DIALECTS:
        module._PERSISTED_CONNECTION_DIALECTS += (_Dialect("duckdb"),)


def _judgement(rule: Rule, outcome: Any) -> Judgement:
    return Judgement(rule=rule, success=bool(outcome.success), result=dict(outcome.result or {}), error=_error(outcome))


def _error(outcome: Any) -> str | None:
    """Why a rule couldn't be evaluated, from either of the two shapes GX reports it in."""
    info = outcome.exception_info or {}
    entries = [info] if "raised_exception" in info else [e for e in info.values() if isinstance(e, dict)]
    messages = [str(e.get("exception_message")) for e in entries if e.get("raised_exception")]
    return without_values(messages[0]) if messages else None


def without_values(message: str) -> str:
    """The first line of a database's complaint, unless it may quote a value of the data.

    Binder, catalogue and parser errors quote the rule; others (conversion, out of range) quote rows.
    """
    quotes_rule_only = ("Binder Error", "Catalog Error", "Parser Error")
    for kind in quotes_rule_only:
        if kind in message:
            return message[message.index(kind) :].splitlines()[0]
    for kind in ("Conversion Error", "Out of Range Error", "Invalid Input Error"):
        if kind in message:
            return f"{kind} (the value is left out)"
    return message.splitlines()[0] if message else "no message"


def readable_parquet(path: Path) -> str:
    """A SQL literal for a Parquet file.

    Raises:
        ClienteleError: there is no such file.
    """
    if not path.is_file():
        raise ClienteleError(f"there is no batch file {path}", remedy="land the batch before it is checked")
    return "'" + str(path).replace("'", "''") + "'"
