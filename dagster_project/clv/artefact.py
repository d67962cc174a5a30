"""Fits as landed artefacts: written once, committed by their manifest, read by every build and never refitted.

One folder a fit, `models/clv/<as_of>-<id>/`:

- `parameters.parquet`: model, parameter, value, standard_error.
- `fits.parquet`: what became of each model, and which are to be believed (`is_chosen`: one of each role).
- `purchases.parquet`: by frequency, recency_days and age_days: whether alive, purchases to be expected.
- `values.parquet`: by value_days and value_amount: what a purchase can be expected to bring.
- `equity.parquet`: customer equity by segment as it was told until this fit: with a fit a month, the months' record.
- `manifest.json`, written last.

The scores' keys are statistics and no customers. SQL finds them exactly, as they are whole days and decimals; a merge
of two customers finds another row instead of a wrong one; and there is nobody to erase in them. A customer whose
statistics as of `as_of` are in no row (a late order, an erasure) was not scored by this fit. Worth is
discounted_purchases * expected_value: the models take the two to be independent.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from dagster_project.clv.worth import UNIT, Horizon, Worth, score_purchases, score_values
from dagster_project.errors import LoadError
from dagster_project.landing.manifest import sync_folder, write_durably

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PARAMETERS = "parameters.parquet"
FITS = "fits.parquet"
PURCHASES = "purchases.parquet"
VALUES = "values.parquet"
EQUITY = "equity.parquet"
MANIFEST = "manifest.json"
BESIDE = ".write-"


class Manifest(BaseModel):
    """What commits an artefact.

    Attributes:
        artefact_id: sorts by time, as load ids do.
        digest: of the statistics that were fitted.
        purchases, values: the models to be believed.
    """

    model_config = ConfigDict(frozen=True)

    artefact_id: str
    as_of: date
    unit: str
    horizon_months: int
    discount_rate: float
    customers: int
    purchases: str
    values: str
    digest: str


@dataclass(frozen=True)
class Artefact:
    """A committed fit."""

    folder: Path
    manifest: Manifest

    @property
    def equity(self) -> Path | None:
        """The record of what customers were worth until this fit; None in a fit that kept none."""
        file = self.folder / EQUITY
        return file if file.exists() else None

    def files(self) -> dict[str, str]:
        """Path of each table of the fit itself, by its name."""
        return {
            name.removesuffix(".parquet"): str(self.folder / name) for name in (PARAMETERS, FITS, PURCHASES, VALUES)
        }

    def holds(self, digest: str, horizon: Horizon) -> bool:
        """It is the fit of these statistics and this horizon: another would say the same."""
        known = self.manifest.digest, self.manifest.horizon_months, self.manifest.discount_rate
        return known == (digest, horizon.months, horizon.discount_rate)


def root(home: Path) -> Path:
    return home / "models" / "clv"


def fit_warehouse(
    con: duckdb.DuckDBPyConnection, home: Path, artefact_id: str, horizon: Horizon | None = None
) -> Artefact:
    """Fit what a warehouse knows and land it; the newest artefact if that is the same fit already.

    Args:
        con: a connection whose default database is the warehouse.
        artefact_id: the load the fit belongs to; unique, sorts by time.
    """
    from dagster_project.clv import statistics, worth

    horizon = horizon or Horizon()
    found = statistics.from_warehouse(con)
    landed = committed(home)
    last = landed[-1] if landed else None
    if last and last.holds(found.digest, horizon):
        return last
    return write(worth.fit(found, horizon), home, artefact_id, _told_equity(con, artefact_id))


def write(fitted: Worth, home: Path, artefact_id: str, equity: pa.Table | None = None) -> Artefact:
    """Land a fit: written beside, flushed, committed by renaming the folder with its manifest.

    Raises:
        LoadError: there is an artefact of this name.
    """
    known = fitted.statistics
    manifest = Manifest(
        artefact_id=artefact_id,
        as_of=known.as_of,
        unit=UNIT,
        horizon_months=fitted.horizon.months,
        discount_rate=fitted.horizon.discount_rate,
        customers=known.purchases.total,
        purchases=fitted.purchases,
        values=fitted.values,
        digest=known.digest,
    )
    target = root(home) / f"{known.as_of}-{artefact_id}"
    if target.exists():
        raise LoadError(f"the fit {target.name} is landed already", remedy="artefacts don't change: give another id")
    work = target.with_name(f"{BESIDE}{target.name}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        tables = {
            PARAMETERS: _parameters(fitted),
            FITS: _fits(fitted),
            PURCHASES: _purchases(fitted),
            VALUES: _values(fitted),
        }
        if equity is not None:
            tables[EQUITY] = equity
        for name, table in tables.items():
            _write_table(table, work / name)
        write_durably(work / MANIFEST, manifest.model_dump_json(indent=1))
        work.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Artefact(target, manifest)


def committed(home: Path) -> list[Artefact]:
    """The artefacts with a manifest, oldest first: by the day they are as of, then by id."""
    found = [
        Artefact(path.parent, Manifest.model_validate_json(path.read_bytes()))
        for path in root(home).glob(f"[!.]*/{MANIFEST}")
    ]
    return sorted(found, key=lambda artefact: (artefact.manifest.as_of, artefact.manifest.artefact_id))


def known(home: Path, up_to: str | None = None) -> list[Artefact]:
    """The artefacts a build knows, the newest last: that one it is told by, the others are the record.

    Args:
        up_to: artefacts of later ids don't count: what a build as of a past load knows.
    """
    return [one for one in committed(home) if not up_to or one.manifest.artefact_id <= up_to]


def remove_uncommitted(home: Path) -> list[Path]:
    """Remove what a killed fit left. Called under the writer's lock only."""
    landed = {one.folder for one in committed(home)}
    left = [folder for folder in sorted(root(home).glob("*")) if folder not in landed]
    for folder in left:
        shutil.rmtree(folder)
    return left


def _told_equity(con: duckdb.DuckDBPyConnection, artefact_id: str) -> pa.Table | None:
    """What the warehouse says its customers are worth, before a new fit says otherwise."""
    exists = "select 1 from duckdb_tables() where schema_name = 'mart' and table_name = 'mart_customer_equity'"
    if not con.execute(exists).fetchone():
        return None
    query = "select *, cast($1 as varchar) as artefact_id from mart.mart_customer_equity"
    return con.execute(query, [artefact_id]).to_arrow_table()


def _parameters(fitted: Worth) -> pa.Table:
    import pyarrow as pa

    rows = [
        {"model": fit.model, "role": fit.role, "parameter": name, "value": value,
         "standard_error": fit.standard_errors.get(name)}
        for fit in fitted.fits
        for name, value in fit.parameters.items()
    ]  # fmt: skip
    text, number = pa.string(), pa.float64()
    columns = {"model": text, "role": text, "parameter": text, "value": number, "standard_error": number}
    return pa.Table.from_pylist(rows, pa.schema(columns))


def _fits(fitted: Worth) -> pa.Table:
    import pyarrow as pa

    chosen = {"purchases": fitted.purchases, "value": fitted.values}
    rows = [
        {
            "model": fit.model,
            "role": fit.role,
            "is_chosen": chosen[fit.role] == fit.model,
            "log_likelihood": fit.log_likelihood,
            "converged": fit.converged,
            "iterations": fit.iterations,
            "customers": fit.customers,
            "groups": fit.groups,
            "as_of": fitted.statistics.as_of,
            "unit": UNIT,
            "horizon_months": fitted.horizon.months,
            "discount_rate": fitted.horizon.discount_rate,
            "message": fit.message,
        }
        for fit in fitted.fits
    ]
    text, whole, number, yes = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    columns = {"model": text, "role": text, "is_chosen": yes, "log_likelihood": number, "converged": yes,
               "iterations": whole, "customers": whole, "groups": whole, "as_of": pa.date32(), "unit": text,
               "horizon_months": whole, "discount_rate": number, "message": text}  # fmt: skip
    return pa.Table.from_pylist(rows, pa.schema(columns))


def _purchases(fitted: Worth) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    groups, fits = fitted.statistics.purchases, fitted.usable("purchases")
    columns: dict[str, Any] = {
        "model": np.repeat([fit.model for fit in fits], len(groups.customers)),
        "frequency": np.tile(groups.frequency, len(fits)),
        "recency_days": np.tile(groups.recency.astype(np.int64), len(fits)),
        "age_days": np.tile(groups.age.astype(np.int64), len(fits)),
        "customers": np.tile(groups.customers, len(fits)),
    }
    scores = score_purchases(fits, groups, fitted.horizon)
    return pa.table(columns | {name: _finite(name, np.concatenate(parts)) for name, parts in scores.items()})


def _values(fitted: Worth) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    groups, fits = fitted.statistics.values, fitted.usable("value")
    amounts = pa.array(np.tile(groups.amount, len(fits))).cast(pa.decimal128(19, 0))
    columns = {
        "model": np.repeat([fit.model for fit in fits], len(groups.customers)),
        "value_days": np.tile(groups.days, len(fits)),
        "value_amount": _ten_thousandths(amounts),
        "customers": np.tile(groups.customers, len(fits)),
        "expected_value": _finite("expected_value", np.concatenate(score_values(fits, groups))),
    }
    return pa.table(columns)


def _ten_thousandths(amounts: pa.Array) -> pa.Array:
    """The whole numbers as DECIMAL(19,4), the same digits with the point moved."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.decimal128(19, 4), len(amounts), amounts.buffers())


def _finite(name: str, scores: Any) -> Any:
    import numpy as np

    if not np.isfinite(scores).all():
        raise LoadError(f"a score {name} is no number", remedy="this is a defect of Clientele; nothing was landed")
    return scores


def _write_table(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd")
    with path.open("rb") as file:
        os.fsync(file.fileno())
