"""`python -m tests.support.disturb HOW load ...`: a real load in which something real goes wrong at an exact point."""

from __future__ import annotations

import errno
import sys
from typing import Any

import duckdb


def _change_build(file: Any, statement: str) -> None:
    with duckdb.connect(str(file)) as con:
        con.execute(statement)
        con.execute("checkpoint")


def lose_a_line() -> None:
    """A sales line vanishes from the fact after dbt has tested it."""
    from dagster_project.warehouse.load import Load

    reconcile = Load.reconcile

    def wrapped(self: Load, plan: Any) -> Any:
        _change_build(
            self.store.file,
            "delete from star.fct_sales_line where order_id = (select max(order_id) from star.fct_sales_line)",
        )
        return reconcile(self, plan)

    Load.reconcile = wrapped  # type: ignore[method-assign]


def lose_a_cell() -> None:
    """A cell of the base cuboid vanishes after dbt has tested it."""
    from dagster_project.warehouse.load import Load

    reconcile = Load.reconcile

    def wrapped(self: Load, plan: Any) -> Any:
        _change_build(
            self.store.file, "delete from cube.sales_base where rowid = (select max(rowid) from cube.sales_base)"
        )
        return reconcile(self, plan)

    Load.reconcile = wrapped  # type: ignore[method-assign]


def change_a_sum_after_sealing() -> None:
    """The closed build has all rows, but an amount is another."""
    from dagster_project.warehouse import releases

    verify = releases.verify

    def wrapped(file: Any, release: Any) -> None:
        _change_build(file, "update star.fct_sales_line set net_amount = net_amount + 1 where rowid = 0")
        verify(file, release)

    releases.verify = wrapped


def hiccup_once() -> None:
    """The first read of the products fails as a network mount does; the second works."""
    from dagster_project.defs import feeds
    from dagster_project.landing.extraction import Extraction

    feeds.SECONDS_TO_RETRY = 1
    read, failed = Extraction.run, []

    def wrapped(self: Extraction, gate: Any) -> Any:
        if self.feed.name == "products" and not failed:
            failed.append(True)
            raise OSError(errno.ESTALE, "Stale file handle", "products.parquet")
        return read(self, gate)

    Extraction.run = wrapped  # type: ignore[method-assign]


def hiccup_for_ever() -> None:
    from dagster_project.defs import feeds
    from dagster_project.landing.extraction import Extraction

    feeds.SECONDS_TO_RETRY = 0
    read = Extraction.run

    def wrapped(self: Extraction, gate: Any) -> Any:
        if self.feed.name == "products":
            raise OSError(errno.ESTALE, "Stale file handle", "products.parquet")
        return read(self, gate)

    Extraction.run = wrapped  # type: ignore[method-assign]


if __name__ == "__main__":
    how = sys.argv.pop(1)
    globals()[how]()
    from dagster_project.cli import main

    main()
