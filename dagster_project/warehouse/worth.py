"""Fits of customers' worth on the served release, landed for the next build."""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.clv import artefact
from dagster_project.clv.artefact import Artefact
from dagster_project.errors import ClienteleError
from dagster_project.landing import sql
from dagster_project.settings import Settings
from dagster_project.warehouse.ledger import Ledger, new_load_id
from dagster_project.warehouse.lock import WriterLock
from dagster_project.warehouse.releases import FILE, Releases


def fit_served(settings: Settings, *, months: int = 36, discount_rate: float = 0.1, wait: int = 0) -> Artefact:
    """Fit what is served and land it; what is landed already if it says the same.

    Args:
        months, discount_rate: how far ahead worth is counted, and what a year's wait costs.
        wait: seconds to wait for a load that runs.

    Raises:
        LockedError: a load runs. ClienteleError: nothing is served yet.
    """
    from dagster_project.clv.worth import Horizon

    current = Releases(settings.releases, settings.warehouse).current()
    if current is None:
        raise ClienteleError("there is no warehouse yet to fit anything on", remedy="run: clientele load")
    lock = WriterLock(settings.home)
    took = lock.acquire(wait, "fit of customers' worth")
    try:
        artefact.remove_uncommitted(settings.home)
        file = settings.releases / current.release / FILE
        with duckdb.connect(str(file), read_only=True, config=sql.CONFIG) as con:
            # later than every load, so that a build as of one of them does not know it
            name = new_load_id(max(Ledger(settings.ledger).loads(), default=None))
            return artefact.fit_warehouse(con, settings.home, name, Horizon(months, discount_rate))
    finally:
        if took:
            lock.release()


def told(landed: Artefact) -> list[dict[str, Any]]:
    """One row a model: its parameters, how well it fits, and whether it is the one that counts."""
    with duckdb.connect(config=sql.CONFIG) as con:
        found = con.execute(
            "select fits.model, fits.role, fits.is_chosen, fits.converged, fits.log_likelihood, fits.customers,"
            " string_agg(parameter || ' ' || round(value, 4), ', ' order by parameter) as parameters,"
            " fits.message from read_parquet($fits) as fits left join read_parquet($parameters) as parameters"
            " using (model, role) group by all order by fits.role, fits.is_chosen desc, fits.model",
            {name: path for name, path in landed.files().items() if name in {"fits", "parameters"}},
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
