"""Many customers with few purchases each: Complete Journey's households thinned, then copied."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from benchmarks.data import REAL, household, write_query

# A household has 62 baskets a year: every twelfth is kept, its first one among them, and two lines of each.
EVERY, LINES = 12, 2
ORDER = "transaction_timestamp, basket_id"


def write_people(real: Path, folder: Path, copies: int, until: date) -> Path:
    """A source with each household `copies` times: its thinned baskets, bands, contacts and redemptions.

    Stores, products, campaigns and coupons are the real ones, and promotions a fiftieth of the real.

    Args:
        until: the last day with orders.
    """
    folder.mkdir(parents=True)
    of_each = f"range({copies}) as copies(number)"
    write_query(
        folder / "transactions.parquet",
        "with baskets as (select basket_id from"
        f" (select distinct household_id, {ORDER} from '{real}/transactions.parquet')"
        f" qualify (row_number() over (partition by household_id order by {ORDER}) - 1) % {EVERY} = 0),"
        f" lines as (from '{real}/transactions.parquet' where basket_id in (from baskets)"
        f" and cast(transaction_timestamp - interval 5 hour as date) <= date '{until}'"
        f" qualify row_number() over (partition by basket_id order by product_id) <= {LINES})"
        f" select * exclude (number) replace ({household()},"
        " cast(basket_id + 100000000000 * number as bigint) as basket_id)"
        f" from lines, {of_each} order by {ORDER}, product_id",
    )
    for feed in ("demographics", "campaigns", "coupon_redemptions"):
        write_query(
            folder / f"{feed}.parquet",
            f"select * exclude (number) replace ({household()}) from '{real}/{feed}.parquet', {of_each}",
        )
    write_query(folder / "promotions.parquet", f"from '{real}/promotions.parquet' where hash(product_id) % 50 = 0")
    for feed in REAL:
        if not (folder / f"{feed}.parquet").exists():
            (folder / f"{feed}.parquet").symlink_to(real / f"{feed}.parquet")
    return folder


def write_orders(real: Path, folder: Path, day: date, orders: int) -> None:
    """One more file with a few orders of a day: real baskets under new numbers, of the first copy's households."""
    chosen = f"select distinct basket_id from '{real}/transactions.parquet' order by basket_id limit {orders}"
    write_query(
        folder / f"transactions-{day}.parquet",
        f"select * replace (cast(basket_id + {day.toordinal() * 10**12} as bigint) as basket_id,"
        f" timestamp '{day}' + interval 17 hour as transaction_timestamp)"
        f" from '{real}/transactions.parquet' where basket_id in ({chosen})",
    )
