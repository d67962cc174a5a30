"""The data the benchmarks load: Complete Journey as it is, and longer histories made of copies of it.

A copy of the year is moved by whole years of 364 days, which keeps weekdays and the chain's week numbers.
Copies within one year get other households, baskets and stores.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from benchmarks.measure import PROJECT

SOURCE = "complete_journey"
FEEDS = (
    "transactions",
    "promotions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
)
# What a history of copies takes from the real year as it is.
REAL = ("products", "campaigns", "campaign_descriptions", "coupons", "coupon_redemptions")
YEAR = timedelta(days=364)
# Promotions are 93% of the real rows: histories of copies carry a fiftieth of them, so that fifty years of copies
# have as many as the real year.
PROMOTION_PRODUCTS = "hash(product_id) % 50 = 0"


@dataclass(frozen=True)
class Copy:
    """One copy of the year.

    Attributes:
        years: how many years of 364 days later than the real one.
        number: makes households and baskets its own.
        chain: makes stores its own; copies of different years may share them.
    """

    years: int
    number: int
    chain: int


def real_data() -> Path:
    """The folder of the Complete Journey files: COMPLETE_JOURNEY_DIR, or the installed package's."""
    from dagster_project.landing.source import read_source

    return read_source(PROJECT / "sources" / SOURCE / "source.yml").folder()


def write_sample(real: Path, folder: Path) -> Path:
    """A twentieth of the households and of the promotions: to try the benchmarks, not to quote them."""
    households = "household_id % 20 = 0"
    kept = {
        "promotions": "product_id % 20 = 0",
        **dict.fromkeys(("transactions", "demographics", "campaigns", "coupon_redemptions"), households),
    }
    folder.mkdir(parents=True)
    for feed in FEEDS:
        write_query(folder / f"{feed}.parquet", f"select * from '{real}/{feed}.parquet' where {kept.get(feed, 'true')}")
    return folder


def write_copies(real: Path, folder: Path, copies: Sequence[Copy]) -> Path:
    """A source whose history is these copies of the year: a file a year, sorted by time.

    Transactions, promotions (a fiftieth) and demographics are copied; the lists of products, campaigns and coupons,
    and what hangs on the campaigns, stay the real ones.
    """
    folder.mkdir(parents=True)
    for years in sorted({copy.years for copy in copies}):
        chosen = [copy for copy in copies if copy.years == years]
        copied = ", ".join(f"({copy.number}, {copy.chain})" for copy in chosen)
        week = f"cast(week + {52 * years} as bigint) as week"
        store = "cast(store_id + 100000 * chain as bigint) as store_id"
        moved = f"transaction_timestamp + interval {YEAR.days * years} day as transaction_timestamp"
        write_query(
            folder / f"transactions-{years}.parquet",
            f"select * exclude (number, chain) replace ({household()}, {store}, {week}, {moved},"
            " cast(basket_id + 100000000000 * number as bigint) as basket_id)"
            f" from '{real}/transactions.parquet', (values {copied}) copies(number, chain)"
            " order by transaction_timestamp, basket_id, product_id",
        )
        write_query(
            folder / f"promotions-{years}.parquet",
            f"select * exclude (number, chain) replace ({store}, {week})"
            f" from '{real}/promotions.parquet', (values {copied}) copies(number, chain)"
            f" where {PROMOTION_PRODUCTS} order by week, store_id, product_id",
        )
    numbers = ", ".join(f"({copy.number})" for copy in copies)
    write_query(
        folder / "demographics.parquet",
        f"select * exclude (number) replace ({household()})"
        f" from (select distinct * from (values {numbers}) copies(number)), '{real}/demographics.parquet'"
        " order by household_id",
    )
    for feed in REAL:
        (folder / f"{feed}.parquet").symlink_to(real / f"{feed}.parquet")
    return folder


def household() -> str:
    return "cast(household_id + 10000 * number as bigint) as household_id"


def write_demographics(real: Path, folder: Path, night: int) -> None:
    """The list of households as it is on a night, counted from 0: each night one household's age band changes."""
    other = "case when age = '45-54' then '65+' else '45-54' end"
    write_query(
        folder / "demographics.parquet",
        f"select * exclude (place, households) replace (case when {night} >= place and"
        f" (({night} - place) // households) % 2 = 0 then {other} else age end as age)"
        " from (select *, row_number() over (order by household_id) - 1 as place, count(*) over () as households"
        f" from '{real}/demographics.parquet')",
    )


def write_one_row_a_feed(real: Path, folder: Path, night: int, day: date) -> None:
    """One more file a feed with one new row, as of `day`; the night's number makes keys new."""
    at, campaign = f"timestamp '{day}'", f"cast({100 + night} as bigint) as campaign_id"
    changes = {
        "transactions": f"cast({90_000_000_000 + night} as bigint) as basket_id,"
        f" {at} + interval 17 hour as transaction_timestamp",
        "promotions": f"cast({1 + (day - date(2016, 12, 26)).days // 7} as bigint) as week",
        "products": f"cast({90_000_000 + night} as bigint) as product_id",
        "demographics": f"cast({90_000 + night} as bigint) as household_id",
        "campaigns": campaign,
        "campaign_descriptions": f"{campaign}, {at} as start_date, {at} + interval 30 day as end_date",
        "coupons": campaign,
        "coupon_redemptions": f"{campaign}, {at} as redemption_date",
    }
    for feed in FEEDS:
        write_query(
            folder / f"{feed}-{day}.parquet",
            f"select * replace ({changes[feed]}) from (from '{real}/{feed}.parquet' limit 1)",
        )


def link_files(real: Path, folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> Path:
    """A folder of links to the files of another, to which files of its own can be added."""
    folder.mkdir(parents=True)
    for path in sorted(real.glob("*.parquet")):
        if wanted(path.name):
            (folder / path.name).symlink_to(path.resolve())
    return folder


def write_source(folder: Path) -> Path:
    """The project's source.yml with each feed's path made a pattern, so that its rows may come in several files."""
    text = (PROJECT / "sources" / SOURCE / "source.yml").read_text(encoding="utf-8")
    target = folder / SOURCE / "source.yml"
    target.parent.mkdir(parents=True)
    target.write_text(re.sub(r"path: (\w+)\.parquet", r"path: \1*.parquet", text), encoding="utf-8")
    return folder


def write_query(path: Path, query: str) -> None:
    """Write a query's rows as Parquet: beside, then renamed, so that a link is replaced and never followed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(path.parent / ".spill")}) as con:
        con.execute(f"copy ({query}) to '{beside}' (format parquet, compression zstd)")
    beside.replace(path)
